//! The latency of the conversation: whole calls through the product, release build, one at a time.
//!
//! Half of them with a Graph that answers at once, half with one that takes 80 ms for each reply. A run in which this
//! machine was disturbed, or the caller's phone late itself, is void and made again.

use super::figure::{Figure, Table};
use anyhow::ensure;
use harness::rehearsal::Figures;
use harness::{Testbed, TestbedConfig};
use local::{Binaries, root};
use std::fmt;
use std::time::Duration;

/// The most void runs before the bench gives up.
const VOID: usize = 5;

/// How long Graph takes for a reply in the second half.
const SLOW_GRAPH: Duration = Duration::from_millis(80);

/// All figures of a conversation.
#[derive(Debug, Clone)]
pub struct TurnsBench {
    figures: Vec<Figure>,
    runs: usize,
    void: usize,
}

impl TurnsBench {
    /// Measures: each figure is the median of `runs` calls. With one only, the bench itself is tried: that call is the first of its
    /// functions, counts though it was disturbed, and a slow Graph is left out.
    pub async fn run(binaries: &Binaries, runs: usize) -> anyhow::Result<Self> {
        let (quick, void) = calls(binaries, Duration::ZERO, runs).await?;
        let (slow, more_void) = if runs > 1 { calls(binaries, SLOW_GRAPH, runs).await? } else { (vec![], 0) };
        let figure = |what, of: fn(&Figures) -> Option<f64>, runs: &[Figures], limit_ms| {
            let took = runs.iter().filter_map(of).map(|ms| Duration::from_secs_f64(ms.max(0.0) / 1_000.0));
            Figure::of(what, took.collect(), Duration::from_millis(limit_ms))
        };
        let mut figures = vec![
            figure(
                "webhook posted → first voice at the caller, Graph at once",
                |f| f.first_voice_ms,
                &quick,
                450,
            ),
            figure("accept's 200 → first voice at the caller", |f| f.first_word_ms, &quick, 40),
            figure("control API has the offer → media connected, Graph at once", |f| f.media_ms, &quick, 100),
            figure(
                "caller's last voice → first voice back, less VAD and thinking",
                |f| f.turn_added_ms,
                &quick,
                50,
            ),
            figure("model hears the caller → last voice at the caller", |f| f.interrupt_ms, &quick, 25),
            figure(
                "heard, as claimed, off what the caller got",
                |f| f.claimed_too_much_ms.map(|ms| ms.abs() as f64),
                &quick,
                20,
            ),
        ];
        if !slow.is_empty() {
            figures.insert(1, figure("the same, Graph 80 ms a reply", |f| f.first_voice_ms, &slow, 600));
        }
        Ok(Self { figures, runs, void: void + more_void })
    }

    /// Whether every figure is within its limit.
    pub fn holds(&self) -> bool {
        self.figures.iter().all(Figure::holds)
    }
}

/// Runs that count, and how many did not.
async fn calls(
    binaries: &Binaries,
    graph_delay: Duration,
    runs: usize,
) -> anyhow::Result<(Vec<Figures>, usize)> {
    let folder = root().join("target/bench-turns").join(format!("graph-{}ms", graph_delay.as_millis()));
    let mut config = TestbedConfig::rehearsal(folder);
    config.meta.graph_delay = graph_delay;
    let testbed = Testbed::start(config, binaries).await?;
    let measured = measure(&testbed, runs).await;
    testbed.stop().await;
    measured
}

async fn measure(testbed: &Testbed, runs: usize) -> anyhow::Result<(Vec<Figures>, usize)> {
    if runs > 1 {
        // The functions' cold start is another figure.
        testbed.rehearse().await?;
    }
    let (mut counted, mut void) = (vec![], 0);
    while counted.len() < runs {
        let outcome = testbed.rehearse().await?;
        if outcome.is_disturbed() && runs > 1 {
            void += 1;
            ensure!(void <= VOID, "this machine is too busy to measure anything: {void} runs are void");
            continue;
        }
        ensure!(outcome.is_right(), "a call went wrong:\n{outcome}");
        counted.push(outcome.figures);
    }
    Ok((counted, void))
}

impl fmt::Display for TurnsBench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Table(&self.figures))?;
        let Self { runs, void, .. } = self;
        writeln!(f, "  the model thinks for 300 ms; {runs} calls of each kind; {void} runs were void")
    }
}
