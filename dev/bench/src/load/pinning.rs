//! Pins the media task to one core of its own, and every other process to the others.

use anyhow::{Context, bail, ensure};
use local::Binaries;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const CORE: usize = 0;

/// Moves this process, with all that it will start, to the cores that are not the media task's: by becoming `taskset`,
/// which becomes this program again. Whatever was to be built must have been built before.
pub fn leave_a_core_to_the_task() -> anyhow::Result<()> {
    let ours = own_cores()?;
    if !ours.contains(&CORE) {
        return Ok(());
    }
    let others: Vec<String> = ours.iter().filter(|core| **core != CORE).map(usize::to_string).collect();
    ensure!(!others.is_empty(), "two cores are needed: one for the media task, one for all other processes");
    let mut again = Command::new(taskset()?);
    again
        .args(["--cpu-list", &others.join(",")])
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1));
    // It would have everything built again, on one core.
    again.env_remove("CARGO");
    bail!("cannot start taskset: {}", again.exec())
}

/// Functions must not delay callers or model: here they all share a core, unlike in AWS.
const FUNCTIONS: [&str; 3] = ["webhook", "call-control", "reaper"];

/// The same programs, but the media task runs on its own core, and functions only when it is idle. The programs
/// that see to it are put into `folder`.
pub(super) fn with_a_core(binaries: &Binaries, folder: &Path) -> anyhow::Result<Binaries> {
    let taskset = format!("'{}' --cpu-list {CORE}", taskset()?.display());
    let mut replaced = binaries.clone();
    let before = FUNCTIONS.map(|function| (function, "nice -n 19"));
    for (name, before) in before.into_iter().chain([("media-task", taskset.as_str())]) {
        let script = folder.join(name);
        let program = binaries.path(name).canonicalize()?;
        std::fs::write(&script, format!("#!/bin/sh\nexec {before} '{}' \"$@\"\n", program.display()))?;
        std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755))?;
        replaced = replaced.replacing(name, script);
    }
    Ok(replaced)
}

fn taskset() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found = std::env::split_paths(&path).map(|folder| folder.join("taskset"));
    found.find(|program| program.exists()).context("no taskset: on Debian, apt-get install util-linux")
}

/// The cores this process may use.
fn own_cores() -> anyhow::Result<Vec<usize>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let list = list.context("the kernel does not say which cores we may use")?;
    Ok(list.trim().split(',').flat_map(cores).collect())
}

/// `2`, or `0-3`.
fn cores(part: &str) -> std::ops::RangeInclusive<usize> {
    let (first, last) = part.split_once('-').unwrap_or((part, part));
    let number = |text: &str| text.parse().unwrap_or(0);
    number(first)..=number(last)
}
