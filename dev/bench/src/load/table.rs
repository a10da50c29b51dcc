//! The figures of the load bench, as a table for people and as CSV for programs.

use super::figures::{Delay, LoadFigures};
use super::{charts, limits};
use crate::Floor;
use report::Machine;
use std::fmt;
use std::path::Path;

/// What was measured.
#[derive(Debug, Clone)]
pub struct LoadTable {
    /// For each number of calls.
    pub rows: Vec<LoadFigures>,
    /// What the same traffic costs alone.
    pub floor: Floor,
}

impl LoadTable {
    /// Returns the limits that are exceeded, in words.
    pub fn missed(&self) -> Vec<String> {
        limits::missed(&self.rows)
    }

    /// Writes `load.md`, `load.csv`, `load-cpu.svg` and `load-lateness.svg` into a folder.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        std::fs::create_dir_all(folder)?;
        let text = format!(
            "# Calls at once on one core\n\n\
             The media task has one core, callers and model another. {}. `make bench` makes this page.\n\n{self}\n\
             ![What a call costs](load-cpu.svg)\n\n![How late packets are](load-lateness.svg)\n\n\
             ## What the same traffic costs alone\n\n{}",
            Machine::here(),
            self.floor.table().markdown()
        );
        std::fs::write(folder.join("load.md"), text)?;
        std::fs::write(folder.join("load.csv"), self.csv())?;
        std::fs::write(folder.join("load-cpu.svg"), charts::cpu(&self.rows, self.floor_ms()))?;
        Ok(std::fs::write(folder.join("load-lateness.svg"), charts::lateness(&self.rows))?)
    }

    fn floor_ms(&self) -> f64 {
        self.floor.sum().as_secs_f64() * 1_000.0
    }

    fn csv(&self) -> String {
        let mut text = COLUMNS.map(|column| column.name).join(",") + "\n";
        for row in &self.rows {
            let cells =
                COLUMNS.map(|column| (column.of)(row).map_or(String::new(), |value| format!("{value:.3}")));
            text += &(cells.join(",") + "\n");
        }
        text
    }
}

struct Column {
    name: &'static str,
    of: fn(&LoadFigures) -> Option<f64>,
}

const COLUMNS: [Column; 23] = [
    Column { name: "calls", of: |row| Some(row.calls as f64) },
    Column { name: "windows", of: |row| Some(row.windows as f64) },
    Column { name: "void_windows", of: |row| Some(row.void as f64) },
    Column { name: "cpu_ms_per_call_second", of: |row| Some(row.cpu_ms) },
    Column { name: "memory_mib", of: |row| Some(row.memory_mib) },
    Column { name: "memory_mib_per_call", of: |row| row.memory_mib_per_call },
    Column { name: "packets_per_call_second", of: |row| Some(row.packets_per_second) },
    Column { name: "appends_per_call_second", of: |row| Some(row.appends_per_second) },
    Column { name: "lateness_p50_ms", of: |row| Some(row.lateness.p50_ms) },
    Column { name: "lateness_p99_ms", of: |row| Some(row.lateness.p99_ms) },
    Column { name: "lateness_max_ms", of: |row| Some(row.lateness.max_ms) },
    Column { name: "gaps_over_60_ms", of: |row| Some(row.gaps as f64) },
    Column { name: "lost_packets", of: |row| Some(row.lost as f64) },
    Column { name: "longest_gap_ms", of: |row| Some(row.longest_gap_ms) },
    Column { name: "uplink_p50_ms", of: |row| Some(row.uplink.p50_ms) },
    Column { name: "uplink_p99_ms", of: |row| Some(row.uplink.p99_ms) },
    Column { name: "uplink_max_ms", of: |row| Some(row.uplink.max_ms) },
    Column { name: "downlink_p50_ms", of: |row| Some(row.downlink.p50_ms) },
    Column { name: "downlink_p99_ms", of: |row| Some(row.downlink.p99_ms) },
    Column { name: "downlink_max_ms", of: |row| Some(row.downlink.max_ms) },
    Column { name: "generator_p50_ms", of: |row| Some(row.own_lateness.p50_ms) },
    Column { name: "generator_p99_ms", of: |row| Some(row.own_lateness.p99_ms) },
    Column { name: "surprises", of: |row| Some(row.surprises as f64) },
];

impl fmt::Display for LoadTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| calls | CPU ms / call-s | of the floor | MiB | MiB / call | packets / s | late p50 / p99 / max ms | gaps | uplink p50 / p99 ms | downlink p50 / p99 ms | generator p99 ms | void |"
        )?;
        writeln!(f, "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")?;
        for row in &self.rows {
            let Delay { p50_ms, p99_ms, max_ms } = row.lateness;
            let per_call = row.memory_mib_per_call.map_or("-".to_owned(), |mib| format!("{mib:.2}"));
            writeln!(
                f,
                "| {} | {:.2} | × {:.1} | {:.1} | {per_call} | {:.2} | {p50_ms:.1} / {p99_ms:.1} / {max_ms:.1} | {} | {:.1} / {:.1} | {:.1} / {:.1} | {:.1} | {} |",
                row.calls,
                row.cpu_ms,
                row.cpu_ms / self.floor_ms(),
                row.memory_mib,
                row.packets_per_second,
                row.gaps,
                row.uplink.p50_ms,
                row.uplink.p99_ms,
                row.downlink.p50_ms,
                row.downlink.p99_ms,
                row.own_lateness.p99_ms,
                row.void
            )?;
        }
        self.missed().iter().try_for_each(|missed| writeln!(f, "  MISSED: {missed}"))
    }
}
