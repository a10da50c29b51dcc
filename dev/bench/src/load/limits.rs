//! The limits of the load bench.

use super::LoadFigures;

/// CPU of the media task for a second of a call at 50 calls, ms.
const CPU_MS: f64 = 8.0;
/// Lateness of sent packets at p99 with a hundred calls, ms.
const LATENESS_MS: f64 = 10.0;
/// Memory for each call, MiB.
const MEMORY_MIB: f64 = 0.6;
/// The number of calls at which the limit of CPU applies.
const CALLS_FOR_CPU: usize = 50;
/// The number of calls at which the limit of lateness applies.
const CALLS_FOR_LATENESS: usize = 100;

/// Returns the limits that these figures exceed, in words.
pub(super) fn missed(figures: &[LoadFigures]) -> Vec<String> {
    figures.iter().flat_map(missed_by).collect()
}

fn missed_by(figures: &LoadFigures) -> Vec<String> {
    let LoadFigures { calls, cpu_ms, lateness, gaps, memory_mib_per_call, .. } = figures;
    if figures.is_void {
        // With more calls than are judged, the core that is full may be the callers' own: the table tells.
        let is_judged = [CALLS_FOR_CPU, CALLS_FOR_LATENESS].contains(calls);
        let late = figures.own_lateness.p99_ms;
        let why = format!("nothing is proven with {calls} calls: the callers were {late:.1} ms late at p99");
        return is_judged.then_some(why).into_iter().collect();
    }
    let mut missed = vec![];
    if *calls == CALLS_FOR_CPU && *cpu_ms > CPU_MS {
        missed.push(format!("{cpu_ms:.2} ms of CPU for a call-second at {calls} calls: at most {CPU_MS}"));
    }
    if *calls == CALLS_FOR_LATENESS && lateness.p99_ms >= LATENESS_MS {
        missed.push(format!("{:.1} ms late at p99 with {calls} calls: under {LATENESS_MS}", lateness.p99_ms));
    }
    if *calls == CALLS_FOR_LATENESS && *gaps > 0 {
        missed.push(format!("{gaps} gaps with {calls} calls: none"));
    }
    if let Some(memory) = memory_mib_per_call.filter(|mib| *calls >= CALLS_FOR_CPU && *mib > MEMORY_MIB) {
        missed.push(format!("{memory:.2} MiB a call with {calls} calls: at most {MEMORY_MIB}"));
    }
    missed
}
