//! Generates `docs/events.md` from the schema.

use super::{COMMON, EventSchema, events};
use crate::Level;
use std::fmt::Write;

const BEGINNING: &str = "# Events

Each event of a call is recorded once: as an item in the table, and as one flat JSON line in the log, by functions and media
tasks alike. This page is generated from `crates/journal` (`make docs`), and a test compares the two.

No event says who called or what was said. A call is identified by its `call_ref`; no field holds a phone number, an SDP, a
token or a spoken word, and numbers of eight digits or more are redacted from text that others wrote before it is logged.

A line is written once, after the event is in the table: an event that was saved before is not logged again. If a process dies
between the two, the table has the event and the log does not.

## Fields of every line

| field | unit | |
|---|---|---|
";

/// Returns the page's text.
pub fn page() -> String {
    let mut page = BEGINNING.to_owned();
    for (name, unit, meaning) in COMMON {
        row(&mut page, name, unit, meaning);
    }
    page += "\n## Events\n";
    events().iter().for_each(|event| section(&mut page, event));
    page
}

fn section(page: &mut String, event: &EventSchema) {
    let EventSchema { name, meaning, level, fields } = event;
    let severity = match level {
        Level::Info => "",
        Level::Warn => " (warning)",
        Level::Error => " (error)",
    };
    write!(page, "\n### `{name}`{severity}\n\n{meaning}\n").expect("writing to a String does not fail");
    if !fields.is_empty() {
        *page += "\n| field | unit | |\n|---|---|---|\n";
    }
    for field in fields {
        let unit =
            if field.is_optional { format!("{}, or missing", field.unit) } else { field.unit.to_owned() };
        row(page, &field.name, &unit, &field.meaning);
    }
}

fn row(page: &mut String, name: &str, unit: &str, meaning: &str) {
    writeln!(page, "| `{name}` | {unit} | {meaning} |").expect("writing to a String does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/events.md");

    /// Set by `make docs`: write the page instead of comparing it.
    const REWRITE: &str = "AHOY_WRITE_DOCS";

    #[test]
    fn the_docs_page_is_up_to_date() {
        if std::env::var_os(REWRITE).is_some() {
            std::fs::write(PAGE, page()).unwrap();
        }

        assert_eq!(
            std::fs::read_to_string(PAGE).unwrap(),
            page(),
            "docs/events.md is out of date: make docs"
        );
    }
}
