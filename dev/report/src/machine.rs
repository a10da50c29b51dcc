//! Which machine a report is of, and when it was made.

use std::fmt;

/// The machine, as a line under a report. Nothing in it says whose machine it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The processor, as the kernel names it.
    pub processor: String,
    /// How many of its cores we may use.
    pub cores: usize,
    /// The kernel: name and release.
    pub kernel: String,
    /// The compiler: `rustc 1.95.0`.
    pub rustc: String,
    /// The day, UTC: `2026-11-22`.
    pub date: String,
}

impl Machine {
    /// The one we run on, today.
    pub fn here() -> Self {
        let system = rustix::system::uname();
        let words = [system.sysname(), system.release()].map(|word| word.to_string_lossy().into_owned());
        let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor = processor(&processors).unwrap_or_else(|| system.machine().to_string_lossy().into());
        Self {
            processor,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: words.join(" "),
            rustc: env!("REPORT_RUSTC").to_owned(),
            date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, cores, kernel, rustc, date } = self;
        let cores = if *cores == 1 { "one core".to_owned() } else { format!("{cores} cores") };
        write!(f, "{processor}, {cores}, {kernel}, {rustc}, {date}")
    }
}

/// The first processor's name. ARM's kernels give none.
fn processor(cpuinfo: &str) -> Option<String> {
    let (_, name) = cpuinfo
        .lines()
        .find_map(|line| line.split_once(':').filter(|(field, _)| field.trim() == "model name"))?;
    Some(name.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_processor_cores_kernel_compiler_and_day() {
        let line = Machine::here().to_string();

        assert!(line.contains("core") && line.contains("rustc 1."), "{line}");
        assert_eq!(line.split(", ").last().map(str::len), Some("2026-11-22".len()), "{line}");
    }

    #[test]
    fn a_processor_is_named_without_the_kernels_spaces() {
        let named = processor("flags\t: a\nmodel name\t: Some  CPU @ 2 GHz\n");
        assert_eq!(named, Some("Some CPU @ 2 GHz".into()));
        assert_eq!(processor("processor : 0\n"), None);
    }
}
