//! Writes `docs/events.md`.

use super::{COMMON, EventSchema, events};
use crate::Level;
use std::fmt::Write;

const BEGINNING: &str = "# Events

What happens in a call is written down once: as an item in the table, and as one flat JSON line in the log, by functions and media
tasks alike. This page is made from `crates/journal` (`make docs`), and a test holds it to that.

Nothing here says who called or what was said. Calls go by their `call_ref`; there is no field for a telephone number, an SDP, a
token, or a word that was spoken, and in words that others chose no number of eight digits or more reaches the log.

A line is written after the event is in the table, once: an event that was saved before is not written again. Of a process that dies
between the two, the table has the event and the log has not.

## What every line says

| field | unit | |
|---|---|---|
";

/// The page, as it is to be.
pub fn page() -> String {
    let mut page = BEGINNING.to_owned();
    for (name, unit, meaning) in COMMON {
        row(&mut page, name, unit, meaning);
    }
    page += "\n## What happens\n";
    events().iter().for_each(|event| section(&mut page, event));
    page
}

fn section(page: &mut String, event: &EventSchema) {
    let EventSchema { name, meaning, level, fields } = event;
    let care = match level {
        Level::Info => "",
        Level::Warn => " (warning)",
        Level::Error => " (error)",
    };
    write!(page, "\n### `{name}`{care}\n\n{meaning}\n").expect("a text takes all that is written");
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
    writeln!(page, "| `{name}` | {unit} | {meaning} |").expect("a text takes all that is written");
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/events.md");

    /// `make docs` sets this.
    const REWRITE: &str = "AHOY_WRITE_DOCS";

    #[test]
    fn the_page_in_the_docs_is_what_the_code_makes() {
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
