//! The figures for a number of calls at once: medians of windows.

use super::window::Window;
use std::time::Duration;

/// The cost and the punctuality of a number of calls at once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadFigures {
    /// Calls open at once.
    pub calls: usize,
    /// Windows that these are the medians of.
    pub windows: usize,
    /// Windows that did not count, since the callers themselves were late.
    pub void: usize,
    /// Whether none counted: then only the CPU time here is valid.
    pub is_void: bool,
    /// CPU time of the media task for each second of each call, ms.
    pub cpu_ms: f64,
    /// Its memory, MiB.
    pub memory_mib: f64,
    /// Its memory beyond what it has for the smallest number of calls, for each call more, MiB. `None` for that number.
    pub memory_mib_per_call: Option<f64>,
    /// Packets that callers got for each second of each call; 50 are due.
    pub packets_per_second: f64,
    /// Messages of sound that the model got for each second of each call; 25 are due.
    pub appends_per_second: f64,
    /// How late packets reached the callers, against one every 20 ms.
    pub lateness: Delay,
    /// Times of more than 60 ms between two packets, in all windows.
    pub gaps: u64,
    /// Packets that never came, in all windows.
    pub lost: u64,
    /// The longest time between two packets, ms.
    pub longest_gap_ms: f64,
    /// A caller's packet leaves → its sound is at the model.
    pub uplink: Delay,
    /// A piece of a reply leaves the model while the agent is silent → the first packet of speech is at the caller.
    pub downlink: Delay,
    /// How late the callers' own packets left: over 3 ms at p99, a window is void.
    pub own_lateness: Delay,
    /// Unexpected client events at the model, in all windows.
    pub surprises: u64,
}

/// Three points of a distribution, ms.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Delay {
    /// Half took no longer.
    pub p50_ms: f64,
    /// All but a hundredth took no longer.
    pub p99_ms: f64,
    /// None took longer.
    pub max_ms: f64,
}

impl LoadFigures {
    /// The figures of some windows, of which there is one at least. `smallest`: the number of calls that memory is
    /// compared to, and the memory then, MiB.
    pub(super) fn of(
        calls: usize,
        counted: &[Window],
        void: &[Window],
        smallest: Option<(usize, f64)>,
    ) -> Self {
        let is_void = counted.is_empty();
        let windows = if is_void { void } else { counted };
        let median = |of: &dyn Fn(&Window) -> f64| median(windows.iter().map(of).collect());
        let call_seconds = |window: &Window| window.lasted.as_secs_f64() * calls as f64;
        let memory_mib = median(&|window| window.memory as f64 / 1_048_576.0);
        Self {
            calls,
            windows: windows.len(),
            void: void.len(),
            is_void,
            cpu_ms: median(&|window| ms(window.ran) / call_seconds(window)),
            memory_mib,
            memory_mib_per_call: smallest
                .filter(|(fewest, _)| calls > *fewest)
                .map(|(fewest, then)| (memory_mib - then) / (calls - fewest) as f64),
            packets_per_second: median(&|window| window.packets as f64 / call_seconds(window)),
            appends_per_second: median(&|window| window.appends as f64 / call_seconds(window)),
            lateness: Delay::of(windows, |window| &window.lateness),
            gaps: windows.iter().map(|window| window.gaps).sum(),
            lost: windows.iter().map(|window| window.lost).sum(),
            longest_gap_ms: ms(windows.iter().map(|window| window.longest_gap).max().unwrap_or_default()),
            uplink: Delay::of(windows, |window| &window.uplink),
            downlink: Delay::of(windows, |window| &window.downlink),
            own_lateness: Delay::of(windows, |window| &window.own_lateness),
            surprises: windows.iter().map(|window| window.surprises).sum(),
        }
    }
}

impl Delay {
    /// Medians of each window's percentiles, and the worst of all.
    fn of(windows: &[Window], which: impl Fn(&Window) -> &Vec<Duration>) -> Self {
        let at = |share| {
            median(windows.iter().map(|window| ms(Window::percentile(which(window), share))).collect())
        };
        let max = windows.iter().filter_map(|window| which(window).last()).max();
        Self { p50_ms: at(50), p99_ms: at(99), max_ms: max.copied().map_or(0.0, ms) }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
