//! The docs' statements about tests are true.

use local::root;
use walkdir::WalkDir;

#[test]
fn every_test_that_the_security_page_names_exists() {
    let page = std::fs::read_to_string(root().join("docs/security.md")).expect("there is a security page");
    let (_, threats) = page.split_once("\n## Threats\n").expect("it has a threat table");
    let (threats, _) = threats.split_once("\n## ").expect("something follows");
    let rows: Vec<&str> = threats.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    let code = code_in(&["cli", "crates", "dev", "functions", "media-task", "tests"]);

    assert!(rows.len() > 10, "{rows:?}");
    for row in rows {
        let tests = row.trim_end_matches([' ', '|']).rsplit_once(" | ").expect("a row has columns").1;
        let names: Vec<&str> = tests.split(", ").map(|name| name.trim_matches('`')).collect();
        for name in names {
            assert!(code.iter().any(|code| is_test_in(code, name)), "no such test: {name}");
        }
    }
}

/// Whether a function of this name stands under a `#[test]` of some kind.
fn is_test_in(code: &str, name: &str) -> bool {
    let Some((before, _)) = code.split_once(&format!("fn {name}(")) else { return false };
    let above = before.trim_end().trim_end_matches("async").trim_end();
    above.lines().next_back().is_some_and(|line| line.trim_start().starts_with("#[") && line.contains("test"))
}

/// The text of every file of code in these folders.
fn code_in(folders: &[&str]) -> Vec<String> {
    let entries = folders.iter().flat_map(|folder| WalkDir::new(root().join(folder)));
    let files = entries.map(|entry| entry.expect("the folder can be read").into_path());
    let code = files.filter(|file| file.extension().is_some_and(|end| end == "rs"));
    code.map(|file| std::fs::read_to_string(file).expect("code is text")).collect()
}
