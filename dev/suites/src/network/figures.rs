//! The figures of all calls, as a table and as a picture.

use super::scenario::{Scenario, ScenarioResult};
use report::{Bars, Machine, Table};
use sim_network::LinkCounts;
use std::path::Path;
use std::time::Duration;

const COLUMNS: [&str; 11] = [
    "network",
    "up MOS-LQO",
    "down MOS-LQO",
    "up lost",
    "recovered by FEC",
    "longest hole up",
    "down lost",
    "longest hole down",
    "overtaken",
    "longest gap down",
    "next turn answered",
];

/// The figures of all calls, and of libopus alone.
#[derive(Debug)]
pub(super) struct Figures {
    pub(super) rows: Vec<Row>,
    pub(super) baseline_up: f64,
    pub(super) baseline_down: f64,
    /// The agent's part, with error correction in it.
    pub(super) baseline_corrected: f64,
}

#[derive(Debug)]
pub(super) struct Row {
    pub(super) scenario: Scenario,
    /// MOS-LQO of the caller's part at the model, where all of it was said.
    pub(super) up: Option<f64>,
    /// MOS-LQO of the agent's part at the phone, where all of it was said.
    pub(super) down: Option<f64>,
    pub(super) is_answered: bool,
    pub(super) cut_short: Option<String>,
    tolls: (LinkCounts, LinkCounts),
    recovered: u64,
    longest_gap: Duration,
}

impl Row {
    pub(super) fn of(result: &ScenarioResult, up: Option<f64>, down: Option<f64>) -> Self {
        let ScenarioResult { scenario, is_answered, tolls, recovered, longest_gap, .. } = *result;
        let cut_short = result.cut_short.clone();
        Self { scenario, up, down, is_answered, cut_short, tolls, recovered, longest_gap }
    }

    fn cells(&self) -> [String; 11] {
        let (up, down) = self.tolls;
        let lost = |toll: LinkCounts| {
            let percent = 100.0 * toll.lost as f64 / toll.packets.max(1) as f64;
            format!("{} of {} ({percent:.1} %)", toll.lost, toll.packets)
        };
        let hole = |toll: LinkCounts| format!("{} ms", toll.longest_loss * 20);
        [
            self.scenario.to_string(),
            shown(self.up),
            shown(self.down),
            lost(up),
            self.recovered.to_string(),
            hole(up),
            lost(down),
            hole(down),
            (up.overtaken + down.overtaken).to_string(),
            format!("{} ms", self.longest_gap.as_millis()),
            if self.is_answered { "yes" } else { "no" }.to_owned(),
        ]
    }
}

impl Figures {
    /// What is known of a scenario.
    pub(super) fn of(&self, scenario: Scenario) -> Option<&Row> {
        self.rows.iter().find(|row| row.scenario == scenario)
    }

    pub(super) fn table(&self) -> Table {
        let mut baseline = [const { String::new() }; 11];
        baseline[0] = "libopus alone".to_owned();
        baseline[1] = shown(Some(self.baseline_up));
        baseline[2] = shown(Some(self.baseline_down));
        let mut corrected = [const { String::new() }; 11];
        corrected[0] = "libopus alone, with FEC".to_owned();
        corrected[1] = shown(Some(self.baseline_up));
        corrected[2] = shown(Some(self.baseline_corrected));
        let table = Table::new(&COLUMNS).row(baseline).row(corrected);
        self.rows.iter().fold(table, |table, row| table.row(row.cells()))
    }

    /// Writes `network.md`, `network.csv` and `network.svg` into a folder.
    pub(super) fn write(&self, folder: &Path, disturbance: Option<&str>) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let table = self.table();
        std::fs::write(folder.join("network.md"), page(&table.markdown(), disturbance))?;
        std::fs::write(folder.join("network.csv"), table.csv())?;
        std::fs::write(folder.join("network.svg"), self.picture().svg())
    }

    fn picture(&self) -> Bars {
        let scored: Vec<(String, f64, f64)> =
            self.rows.iter().filter_map(|row| Some((row.scenario.to_string(), row.up?, row.down?))).collect();
        let categories = ["libopus alone".to_owned()].into_iter();
        Bars {
            title: "Speech through real networks".to_owned(),
            y: "MOS-LQO (PESQ wideband, 1.0 to 4.64)".to_owned(),
            categories: categories.chain(scored.iter().map(|(scenario, ..)| scenario.clone())).collect(),
            series: vec![
                ("caller to model".to_owned(), series(self.baseline_up, scored.iter().map(|row| row.1))),
                ("agent to caller".to_owned(), series(self.baseline_down, scored.iter().map(|row| row.2))),
            ],
        }
    }
}

fn series(baseline: f64, scores: impl Iterator<Item = f64>) -> Vec<f64> {
    [baseline].into_iter().chain(scores).collect()
}

fn shown(score: Option<f64>) -> String {
    score.map_or_else(|| "–".to_owned(), |score| format!("{score:.2}"))
}

fn page(table: &str, disturbance: Option<&str>) -> String {
    let busy = disturbance
        .map(|how| format!(" It was busy otherwise, its own clock {how}: read the scores as lower bounds."));
    format!(
        "# Speech through real networks\n\n\
         `make network` wrote this. {}.{}\n\n\
         {table}\n\
         ![MOS-LQO by network](network.svg)\n\n\
         Scores are MOS-LQO by PESQ wideband (ITU-T P.862.2), 1.0 to 4.64, the mean of three pieces of 8 s each way. *Up* is \
         what the model got against what the caller said, *down* what the caller's phone played against what the model \
         said. Losses are of packets of sound in the network, over the whole call; the two minutes of the silent and the \
         muted caller are not scored. The networks are those of `dev/sim-network`.\n",
        Machine::here(),
        busy.unwrap_or_default()
    )
}
