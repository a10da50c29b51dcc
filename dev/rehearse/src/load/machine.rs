//! On what a figure was measured.

use jiff::Timestamp;

/// The processor, its cores, the kernel, and the day (UTC).
pub(super) fn and_date() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("a processor that does not say its name", |(_, name)| name);
    let cores = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let kernel = read("/proc/sys/kernel/osrelease");
    let day = Timestamp::now().strftime("%Y-%m-%d");
    format!("{model}, {cores} cores, Linux {}, {day}.", kernel.trim())
}
