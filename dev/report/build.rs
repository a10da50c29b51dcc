//! Notes which compiler builds this, for the line under each report.

use std::process::Command;

fn main() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = Command::new(rustc).arg("--version").output().ok().filter(|said| said.status.success());
    let version = said.and_then(|said| String::from_utf8(said.stdout).ok()).unwrap_or_default();
    let version = version.split(" (").next().unwrap_or_default().trim();
    println!("cargo::rustc-env=REPORT_RUSTC={version}");
    println!("cargo::rerun-if-changed=build.rs");
}
