//! A program whose host's clock is wrong: libfaketime comes between it and the clock of the day. The clock that measures
//! how long things take stays right, as it does on a real host.

use anyhow::Context;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Settings that make a program's clock run so many seconds ahead; behind, when below zero.
pub fn ahead_by(seconds: i64) -> anyhow::Result<BTreeMap<String, String>> {
    let library = library().context("no libfaketime: on Debian, apt-get install faketime")?;
    let settings = [
        ("LD_PRELOAD", library.display().to_string()),
        ("FAKETIME", format!("{seconds:+}s")),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ];
    Ok(settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Debian keeps it under the machine's own triplet.
fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.flatten().map(|folder| folder.path());
    folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|library| library.exists())
}
