//! A process as the kernel counts it: CPU time, memory, threads, files, sockets.

use anyhow::Context;
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Clone, Copy)]
pub(super) struct Process(pub(super) u32);

/// How long each of its threads has run.
#[derive(Debug, Clone)]
pub(super) struct Ran(HashMap<String, Duration>);

impl Process {
    /// How long its threads have run so far, each to the nanosecond.
    pub(super) fn ran(self) -> anyhow::Result<Ran> {
        let mut ran = HashMap::new();
        for thread in self.entries("task")? {
            // A thread may end while we look.
            let Ok(line) = std::fs::read_to_string(thread.join("schedstat")) else { continue };
            let ns = line.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0);
            ran.insert(thread.display().to_string(), Duration::from_nanos(ns));
        }
        Ok(Ran(ran))
    }

    /// The memory it has in RAM, bytes.
    pub(super) fn memory(self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(self.path("status"))?;
        let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next());
        let kib: u64 =
            kib.and_then(|kib| kib.parse().ok()).context("the kernel does not say how much memory")?;
        Ok(kib * 1_024)
    }

    pub(super) fn threads(self) -> anyhow::Result<usize> {
        Ok(self.entries("task")?.len())
    }

    /// How many files it has open, sockets included.
    pub(super) fn files(self) -> anyhow::Result<usize> {
        Ok(self.entries("fd")?.len())
    }

    pub(super) fn sockets(self) -> anyhow::Result<usize> {
        let targets = self.entries("fd")?.into_iter().filter_map(|file| std::fs::read_link(file).ok());
        Ok(targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count())
    }

    fn entries(self, folder: &str) -> anyhow::Result<Vec<PathBuf>> {
        let entries = std::fs::read_dir(self.path(folder)).context("the media task is gone")?;
        Ok(entries.flatten().map(|entry| entry.path()).collect())
    }

    fn path(self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.0))
    }
}

impl Ran {
    /// How much more than `before`. Threads that ended in between do not count.
    pub(super) fn since(&self, before: &Ran) -> Duration {
        let more = |(thread, ran): (&String, &Duration)| {
            ran.saturating_sub(before.0.get(thread).copied().unwrap_or_default())
        };
        self.0.iter().map(more).sum()
    }
}
