//! Third-party callers ring the product: aiortc and headless Chromium with their own offers and with WhatsApp's form of
//! them, and `str0m` as ICE-lite and as full ICE; all of them over IPv4 and over IPv6.
//!
//! The product is the whole one: signed webhooks in, its answer at Graph, its model's socket. The callers are processes
//! (`dev/suites/callers`), which speak lines of JSON with us.

mod cell;
mod cell_result;
mod offer_form;
mod phones;
mod process;
mod table;

pub use cell::{Cell, Family, Form, Maker};
pub use cell_result::CellResult;

use harness::testbed::{MODEL_KEY, Testbed, TestbedConfig};
use harness::wakeup_probe::WakeupProbe;
use local::{Binaries, root};
use sim_audio::clips;
use sim_openai::{Reply, Script};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long the simulated model thinks.
const THINKING: Duration = Duration::from_millis(200);

/// How often a caller rings, as long as this machine spoils the call.
const TRIES: u32 = 3;

/// The results of the matrix.
#[derive(Debug)]
pub struct Interop {
    cells: Vec<(Cell, CellResult)>,
    took: Duration,
}

impl Interop {
    /// Runs every cell whose name contains `only`, both address families at the same time.
    ///
    /// A call that goes wrong is a result.
    pub async fn run(binaries: &Binaries, only: &str) -> anyhow::Result<Self> {
        let began = Instant::now();
        let of = |family| {
            let cells = Cell::all().into_iter();
            cells.filter(|cell| cell.family == family && cell.to_string().contains(only)).collect::<Vec<_>>()
        };
        let (v4, v6) = tokio::try_join!(
            ring_all(binaries, Family::V4, of(Family::V4)),
            ring_all(binaries, Family::V6, of(Family::V6)),
        )?;
        Ok(Self { cells: v4.into_iter().chain(v6).collect(), took: began.elapsed() })
    }

    /// Whether every caller was served.
    pub fn is_right(&self) -> bool {
        !self.cells.is_empty() && self.cells.iter().all(|(_, result)| result.flaws().is_empty())
    }
}

async fn ring_all(
    binaries: &Binaries,
    family: Family,
    cells: Vec<Cell>,
) -> anyhow::Result<Vec<(Cell, CellResult)>> {
    if cells.is_empty() {
        return Ok(vec![]);
    }
    let testbed = start_testbed(binaries, family).await?;
    let mut all = Vec::new();
    for (n, cell) in (0..).zip(cells) {
        match ring(&testbed, cell, n * TRIES).await {
            Ok(result) => all.push((cell, result)),
            Err(error) => {
                testbed.stop().await;
                return Err(error.context(cell.to_string()));
            }
        }
    }
    testbed.stop().await;
    Ok(all)
}

/// Runs a cell; again, when a check failed while another process used this machine.
async fn ring(testbed: &Testbed, cell: Cell, first: u32) -> anyhow::Result<CellResult> {
    let mut result = CellResult::default();
    for n in first..first + TRIES {
        let probe = WakeupProbe::start();
        result = cell_result::ring(testbed, cell, n).await?;
        let Some(disturbance) = probe.disturbance() else { break };
        let flaws = result.flaws();
        if flaws.is_empty() {
            break;
        }
        tracing::warn!("{cell}: {}; but this machine was {disturbance}", flaws.join("; "));
    }
    Ok(result)
}

async fn start_testbed(binaries: &Binaries, family: Family) -> anyhow::Result<Testbed> {
    let mut model = sim_openai::Config::new(MODEL_KEY);
    // A short greeting: sixteen callers hear it.
    model.script = Script::new(Reply::speech(clips::agent_moment()), [Reply::speech(clips::agent_answer())])
        .on_message(cell_result::DIGITS, Reply::speech(clips::agent_keys()));
    model.thinking = THINKING;
    let ip = family.ip().to_string();
    let media = [("AHOY_BIND_IP", ip.clone()), ("AHOY_PUBLIC_IP", ip)];
    let media = media.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let config = TestbedConfig {
        model,
        more: BTreeMap::from([("media-task".to_owned(), media)]),
        ..TestbedConfig::in_folder(folder().join(family.to_string()))
    };
    Testbed::start(config, binaries).await
}

fn folder() -> PathBuf {
    root().join("target/interop-calls")
}
