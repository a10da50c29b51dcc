//! Compares values with the lines of `fixtures/persisted/`: a name, a tab, and the bytes.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Lists a value of each variant with its name. A variant that is not listed does not compile.
macro_rules! every {
    ($type:ident; $($name:literal: $variant:ident $({ $($field:tt)* })? $(( $($of:tt)* ))?),+ $(,)?) => {{
        fn name(value: &$type) -> &'static str {
            match value { $($type::$variant { .. } => $name),+ }
        }
        let all: Vec<(&'static str, $type)> = vec![$(($name, $type::$variant $({ $($field)* })? $(( $($of)* ))?)),+];
        for (expected, value) in &all {
            assert_eq!(name(value), *expected);
        }
        all
    }};
}

/// A file or folder of the fixtures.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/persisted").join(name)
}

/// Each value is written as its line, and each line is read and written back as it is.
pub(crate) fn hold<T: Serialize + DeserializeOwned>(file: &str, values: &[(&str, T)]) {
    hold_written(file, values);
    hold_read::<T>(file);
}

/// Each value is written as its line.
pub(crate) fn hold_written<T: Serialize>(file: &str, values: &[(&str, T)]) {
    hold_texts(file, values.iter().map(|(name, value)| ((*name).to_owned(), json(value))));
}

/// Each line is read and written back as it is.
pub(crate) fn hold_read<T: Serialize + DeserializeOwned>(file: &str) {
    for (name, text) in lines(file) {
        let value: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}, {name}: {error}"));
        assert_eq!(json(&value), text, "{file}, {name}");
    }
}

/// Each text is that of its line.
pub(crate) fn hold_texts(file: &str, texts: impl IntoIterator<Item = (String, String)>) {
    let held = lines(file);
    let differs = texts.into_iter().filter(|text| !held.contains(text));
    let differs: Vec<_> = differs.map(|(name, text)| format!("{name}\t{text}")).collect();
    assert!(
        differs.is_empty(),
        "fixtures/persisted/{file} lacks these lines. Add those whose names are new; a line that is there never changes:\n{}",
        differs.join("\n")
    );
}

/// The lines of a file. No name is there twice.
pub(crate) fn lines(file: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(path(file)).unwrap_or_default();
    let split = |line: &str| line.split_once('\t').map(|(name, text)| (name.to_owned(), text.to_owned()));
    let lines: Vec<_> =
        text.lines().map(|line| split(line).unwrap_or_else(|| panic!("{file}: {line}"))).collect();
    let names: HashSet<_> = lines.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), lines.len(), "{file} has a name twice");
    lines
}

pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap()
}
