//! The matrix as a table for people, and as CSV.

use super::{Cell, Interop, Shown};
use anyhow::Context;
use local::binaries::root;
use std::collections::BTreeSet;
use std::fmt::{self, Write};
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
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn write(&self) -> anyhow::Result<Vec<PathBuf>> {
        let folder = root().join("docs/bench");
        std::fs::create_dir_all(&folder)?;
        let (table, csv) = (folder.join("interop.md"), folder.join("interop.csv"));
        std::fs::write(&table, self.markdown()?)?;
        std::fs::write(&csv, self.csv())?;
        Ok(vec![table, csv])
    }

    fn markdown(&self) -> anyhow::Result<String> {
        let mut text = String::from("# Callers of other make\n\n");
        writeln!(
            text,
            "`make interop`, {}, {}. {}.\n",
            jiff::Zoned::now().date(),
            machine(),
            self.versions()?.join(", ")
        )?;
        text += "Each caller rings the whole product with its SDP offer, hears the greeting, asks, hears the answer, presses \
                 `427#`, and hangs up. Sound is recognised by correlating envelopes in pieces of 400 ms: 1 is the clip itself, 0.8 counts as heard. \
                 *own*: the offer as its maker writes it; *WhatsApp*: in the form of Meta's newest live offers, *old* in that \
                 of Meta's documentation. aiortc has no keys. Only aiortc and Chromium tell of loss and of goodbyes.\n\n";
        writeln!(text, "| {} |", COLUMNS.join(" | "))?;
        writeln!(text, "|{}", "---|".repeat(COLUMNS.len()))?;
        for (cell, shown) in &self.cells {
            writeln!(text, "| {} |", row(*cell, shown).join(" | "))?;
        }
        Ok(text)
    }

    fn csv(&self) -> String {
        let quoted = |values: Vec<String>| {
            values
                .iter()
                .map(|value| format!("\"{}\"", value.replace('"', "'")))
                .collect::<Vec<_>>()
                .join(",")
        };
        let rows = self.cells.iter().map(|(cell, shown)| quoted(row(*cell, shown)));
        let head = quoted(COLUMNS.map(str::to_owned).to_vec());
        std::iter::once(head).chain(rows).map(|line| line + "\n").collect()
    }

    fn versions(&self) -> anyhow::Result<Vec<String>> {
        let told: BTreeSet<String> =
            self.cells.iter().filter_map(|(_, shown)| shown.version.clone()).collect();
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

/// For the terminal: columns aligned.
impl fmt::Display for Interop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = COLUMNS.map(str::to_owned).to_vec();
        let rows: Vec<_> =
            std::iter::once(head).chain(self.cells.iter().map(|(cell, shown)| row(*cell, shown))).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
        for row in &rows {
            for (value, width) in row.iter().zip(&widths) {
                write!(f, "  {value:width$}")?;
            }
            writeln!(f)?;
        }
        write!(f, "  {} calls in {} s", self.cells.len(), self.took.as_secs())
    }
}

fn row(cell: Cell, shown: &Shown) -> Vec<String> {
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "–".to_owned());
    let yes = |is_there: bool| if is_there { "yes" } else { "NO" }.to_owned();
    let flaws = shown.flaws();
    vec![
        cell.maker.to_string().split(' ').next().unwrap_or_default().to_owned(),
        cell.form.to_string(),
        cell.maker.ice().to_owned(),
        cell.family.to_string(),
        or_dash(shown.connected_ms.map(|ms| ms.to_string())),
        format!("{:.2}", shown.greeting),
        format!("{:.2}", shown.question),
        format!("{:.2}", shown.answer),
        or_dash(shown.keys.map(|keys| keys.to_string())),
        yes(shown.reports),
        or_dash(shown.lost.map(|lost| lost.to_string())),
        or_dash(shown.goodbye.map(yes)),
        if flaws.is_empty() { "right".to_owned() } else { flaws.join("; ") },
    ]
}

/// What the figures were measured on.
fn machine() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("a machine", |(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores of {model}")
}
