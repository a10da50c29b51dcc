//! The matrix as a table for people, and as CSV.

use super::{Cell, CellResult, Interop};
use anyhow::Context;
use local::root;
use report::{Machine, Table};
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

const COLUMNS: [&str; 13] = [
    "caller",
    "offer",
    "ICE",
    "over",
    "connected ms",
    "greeting",
    "question at the model",
    "answer",
    "keys",
    "RTCP",
    "lost",
    "goodbye",
    "verdict",
];

impl Interop {
    /// Writes the table into `docs/bench`, as Markdown and as CSV: where.
    pub fn write(&self) -> anyhow::Result<Vec<PathBuf>> {
        let folder = root().join("docs/bench");
        std::fs::create_dir_all(&folder)?;
        let (table, csv) = (folder.join("interop.md"), folder.join("interop.csv"));
        std::fs::write(&table, self.markdown()?)?;
        std::fs::write(&csv, self.table().csv())?;
        Ok(vec![table, csv])
    }

    fn markdown(&self) -> anyhow::Result<String> {
        Ok(format!(
            "# Third-party callers\n\n`make interop`, {}. {}.\n\n\
             Each caller rings the whole product with its SDP offer, hears the greeting, asks, hears the answer, presses \
             `427#`, and hangs up. Sound is recognised by correlating envelopes in pieces of 400 ms: 1 is the clip itself, 0.8 counts as heard. \
             *own*: the offer as its maker writes it; *WhatsApp*: in the form of Meta's newest live offers, *old* in that \
             of Meta's documentation. aiortc has no keys. Only aiortc and Chromium tell of loss and of goodbyes.\n\n{}",
            Machine::here(),
            self.versions()?.join(", "),
            self.table().markdown()
        ))
    }

    fn table(&self) -> Table {
        let rows = self.cells.iter().map(|(cell, result)| row(*cell, result));
        rows.fold(Table::new(&COLUMNS), Table::row)
    }

    fn versions(&self) -> anyhow::Result<Vec<String>> {
        let told: BTreeSet<String> =
            self.cells.iter().filter_map(|(_, result)| result.version.clone()).collect();
        let lock = std::fs::read_to_string(root().join("Cargo.lock"))?;
        let of = |name: &str| {
            let (_, after) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
            Some(format!("{name} {}", after.split('"').next()?))
        };
        let str0m = of("str0m").context("Cargo.lock has no str0m")?;
        let rtc = of("rtc").context("Cargo.lock has no rtc")?;
        Ok(told.into_iter().chain([str0m, format!("the product: {rtc}")]).collect())
    }
}

impl fmt::Display for Interop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {} calls in {} s", self.table().markdown(), self.cells.len(), self.took.as_secs())
    }
}

fn row(cell: Cell, result: &CellResult) -> Vec<String> {
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "–".to_owned());
    let yes = |is_there: bool| if is_there { "yes" } else { "NO" }.to_owned();
    let flaws = result.flaws();
    vec![
        cell.maker.to_string().split(' ').next().unwrap_or_default().to_owned(),
        cell.form.to_string(),
        cell.maker.ice().to_owned(),
        cell.family.to_string(),
        or_dash(result.connected_ms.map(|ms| ms.to_string())),
        format!("{:.2}", result.greeting),
        format!("{:.2}", result.question),
        format!("{:.2}", result.answer),
        or_dash(result.keys.map(|keys| keys.to_string())),
        yes(result.reports),
        or_dash(result.lost.map(|lost| lost.to_string())),
        or_dash(result.goodbye.map(yes)),
        if flaws.is_empty() { "right".to_owned() } else { flaws.join("; ") },
    ]
}
