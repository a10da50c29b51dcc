//! `ahoy show CALL`: prints everything stored about a call: summary, turns, transcript and journal.

use crate::call_details::{self, CallDetails};
use crate::figures::{dollars, duration, hundredths, moment, words};
use crate::output::{self, printable};
use crate::{Common, cloud};
use anstyle::Style;
use clap::Args;
use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use deliveries::Extraction;
use journal::Speaker;
use serde_json::Value;
use std::process::ExitCode;
use store::keys::SHORTEST_REF;

const HEAD: Style = Style::new().bold();
const ASIDE: Style = Style::new().dimmed();

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The call's reference, or its beginning as `ahoy calls` prints it.
    #[arg(value_name = "CALL", value_parser = call_ref)]
    call: String,
}

impl Show {
    pub(crate) async fn run(&self, common: &Common) -> anyhow::Result<ExitCode> {
        let store = cloud::store(common).await?;
        let call = CallDetails::find(&store, &self.call).await?;
        if common.json {
            output::json(&call.to_json());
        } else {
            sections(&call).into_iter().for_each(output::line);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Parses a call's reference or its beginning.
///
/// # Errors
/// When it is not hexadecimal, too short or too long.
pub(crate) fn call_ref(typed: &str) -> Result<String, String> {
    let typed = typed.trim().to_ascii_lowercase();
    let is_hex = typed.chars().all(|letter| letter.is_ascii_hexdigit());
    if is_hex && (SHORTEST_REF..=64).contains(&typed.len()) {
        return Ok(typed);
    }
    Err(format!("a call's reference has {SHORTEST_REF} to 64 characters, 0-9 and a-f"))
}

fn sections(call: &CallDetails) -> Vec<String> {
    let mut sections = vec![head(call)];
    let turns = call.turns();
    if !turns.is_empty() {
        let rows = turns.iter().map(|turn| {
            let tools =
                if turn.tool_ms > 0 { format!("{} ms of it for tools", turn.tool_ms) } else { String::new() };
            [
                duration(call.since_ring(turn.at_ms)),
                format!("turn {}", turn.turn),
                format!("{} ms", turn.took_ms),
                tools,
            ]
        });
        sections.push(titled("TURNS", &columns(rows, &[0, 2])));
    }
    if !call.lines.is_empty() {
        let rows = call.lines.iter().map(|line| {
            let who = match line.speaker {
                Speaker::Caller => "caller",
                Speaker::Agent => "agent",
            };
            let mark = if line.in_silence { "(in silence) " } else { "" };
            [duration(call.since_ring(line.at_ms)), who.to_owned(), mark.to_owned() + &printable(&line.text)]
        });
        sections.push(titled("TRANSCRIPT", &columns(rows, &[0])));
    }
    if let Some(extraction) = &call.extraction {
        let title = format!("EXTRACTED by {}", printable(&extraction.model));
        sections.push(titled(&title, &columns(extracted(extraction).into_iter(), &[])));
    }
    let rows = call.entries.iter().map(|entry| {
        [
            call.since_ring(entry.at_ms).to_string(),
            call_details::writer(entry),
            call_details::event_name(entry),
            call_details::event_details(entry),
        ]
    });
    sections.push(titled("TIMELINE, ms since the ring", &columns(rows, &[0])));
    sections
}

/// Returns what was extracted, by name, or why nothing was.
fn extracted(extraction: &Extraction) -> Vec<[String; 2]> {
    let row = |name: &str, text: &str| [printable(name), printable(text)];
    let failed = extraction.error.as_deref().map(|error| row("failed", error));
    let summary = extraction.summary.as_deref().map(|summary| row("summary", summary));
    let fields = extraction.extracted.as_ref().and_then(Value::as_object);
    let fields = fields.into_iter().flatten().map(|(name, value)| match value {
        Value::String(text) => row(name, text),
        value => row(name, &value.to_string()),
    });
    failed.into_iter().chain(summary).chain(fields).collect()
}

fn head(call: &CallDetails) -> String {
    let listed = &call.listed;
    let mut lines = vec![
        format!("{HEAD}call {}{HEAD:#}", listed.call_ref),
        format!("rang       {} UTC, number {}", moment(listed.rang_at_ms), listed.number),
    ];
    let mut fact = |name: &str, text: Option<String>| {
        lines.extend(text.map(|text| format!("{name:<10} {text}")));
    };
    fact("line", (!listed.line.is_default()).then(|| listed.line.to_string()));
    let answered = listed.accepted_at_ms.map(|at| format!("after {} ms", call.since_ring(at)));
    let start = listed.start.as_ref().map(|start| format!(", {start} start")).unwrap_or_default();
    fact("answered", answered.map(|answered| answered + &start));
    let ended = listed.ending.as_ref().zip(listed.by.as_ref());
    fact("ended", ended.map(|(ending, by)| format!("{}, by {by}", words(&ending.to_string()))));
    fact("lasted", listed.lasted_ms().map(duration));
    let Some(summary) = &call.summary else { return lines.join("\n") + "\n" };
    fact("agent", Some(format!("{}, on {}", summary.agent, summary.model)));
    let p = summary.turn_p50_ms.zip(summary.turn_p95_ms);
    let speed = p.map(|(p50, p95)| format!(", median {p50} ms, p95 {p95} ms")).unwrap_or_default();
    fact("turns", Some(format!("{}{speed}; interrupted {}", summary.turns, summary.interruptions)));
    fact(
        "tools",
        (summary.tools > 0).then(|| format!("{} of {} succeeded", summary.tools_done, summary.tools)),
    );
    let mos = |mos: Option<u64>| mos.map_or_else(|| "unknown".to_owned(), hundredths);
    fact(
        "quality",
        listed.carries_audio().then(|| {
            format!("{} up, {} down (MOS by the E-model)", mos(summary.mos_up), mos(summary.mos_down))
        }),
    );
    fact(
        "verdict",
        summary
            .opened_at_ms
            .filter(|_| listed.carries_audio())
            .map(|_| summary.verdict.as_deref().map_or("fine".to_owned(), words)),
    );
    fact(
        "cost",
        summary.micro_dollars.map(|cost| format!("{} (prices of {})", dollars(cost), summary.prices_of)),
    );
    let without: Vec<_> = summary.without.iter().map(|part| words(part)).collect();
    fact("without", (!without.is_empty()).then(|| format!("{} (refused by OpenAI)", without.join(", "))));
    fact("left", (call.left > 0).then(|| format!("{} for people to answer", call.left)));
    lines.join("\n") + "\n"
}

fn titled(title: &str, body: &str) -> String {
    format!("{ASIDE}{title}{ASIDE:#}\n{body}\n")
}

fn columns<const N: usize>(rows: impl Iterator<Item = [String; N]>, right: &[usize]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.add_rows(rows.map(|row| {
        let cells = row.into_iter().enumerate().map(|(at, text)| {
            let side = if right.contains(&at) { CellAlignment::Right } else { CellAlignment::Left };
            Cell::new(text).set_alignment(side)
        });
        cells.collect::<Vec<_>>()
    }));
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use deliveries::extraction::ExtractionOutcome;

    #[test]
    fn a_reference_is_hexadecimal_and_not_too_short() {
        assert_eq!(call_ref("AB12CD34"), Ok("ab12cd34".to_owned()));
        assert!(call_ref("ab12").is_err() && call_ref("wacid.ABCD").is_err());
    }

    #[test]
    fn extracted_fields_are_shown_by_name() {
        let extraction = Extraction {
            model: "gpt-6-luna".to_owned(),
            outcome: ExtractionOutcome::Done,
            error: None,
            summary: Some("It is about\u{1b}[2J A-17.".to_owned()),
            extracted: Some(serde_json::json!({"order": "A-17", "solved": false})),
            micro_dollars: None,
        };

        let rows = extracted(&extraction);

        assert_eq!(rows[0], ["summary", "It is about [2J A-17."]);
        assert_eq!(rows[1..], [["order", "A-17"], ["solved", "false"]].map(|row| row.map(str::to_owned)));
        let failed = Extraction::failed("gpt-0", "model_not_found", None);
        assert_eq!(extracted(&failed), [["failed", "model_not_found"].map(str::to_owned)]);
    }

    #[test]
    fn a_transcripts_escape_sequences_are_removed() {
        assert_eq!(printable("\u{1b}[2Jgone"), " [2Jgone");
    }
}
