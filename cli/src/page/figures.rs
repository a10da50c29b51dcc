//! Renders the figures beside the transcript: response times, network quality and cost.

use crate::call_details::CallDetails;
use crate::figures::{dollars, hundredths, words};
use journal::JournalEvent;
use maud::{Markup, html};

/// Renders a bar for each turn's response time, relative to the slowest.
pub(super) fn turns(call: &CallDetails) -> Markup {
    let turns = call.turns();
    let slowest = turns.iter().map(|turn| turn.took_ms).max().unwrap_or(1).max(1);
    let share = |ms: u64| format!("width:{:.2}%", ms as f64 * 100.0 / slowest as f64);
    html! {
        section #turns {
            h2 { "Response times" }
            @if turns.is_empty() { p.none { "No turns." } }
            @for turn in &turns {
                div.turn {
                    span.n { (turn.turn) }
                    span.bar { span.took style=(share(turn.took_ms)) {} @if turn.tool_ms > 0 { span.tools style=(share(turn.tool_ms.min(turn.took_ms))) {} } }
                    span.ms { (turn.took_ms) " ms" }
                }
            }
            @if let Some((p50, p95)) = call.summary.as_ref().and_then(|it| it.turn_p50_ms.zip(it.turn_p95_ms)) {
                p.aside { "median " (p50) " ms, 95 % within " (p95) " ms, from the end of the caller's speech" }
            }
        }
    }
}

/// Renders loss, jitter and MOS in both directions, and the media diagnosis.
pub(super) fn network(call: &CallDetails) -> Markup {
    let media = call.entries.iter().find_map(|entry| match &entry.event {
        JournalEvent::Media {
            received,
            lost,
            recovered,
            concealed,
            jitter_up_ms,
            loss_down_permille,
            jitter_down_ms,
            round_trip_ms,
            mos_up,
            mos_down,
            late_p99_ms,
            ..
        } => {
            let per_mille = (*lost * 1_000).checked_div(received + lost).unwrap_or_default();
            Some([
                ("Quality (MOS)", mos_up.map(hundredths), mos_down.map(hundredths)),
                ("Lost", Some(per_cent(per_mille)), loss_down_permille.map(per_cent)),
                ("Jitter", Some(ms(*jitter_up_ms)), jitter_down_ms.map(ms)),
                ("Recovered", Some(recovered.to_string()), None),
                ("Concealed", Some(concealed.to_string()), None),
                ("Sent late (p99)", None, Some(ms(*late_p99_ms))),
                ("Round trip", round_trip_ms.map(ms), round_trip_ms.map(ms)),
            ])
        }
        _ => None,
    });
    let verdicts = call.entries.iter().filter_map(|entry| match &entry.event {
        JournalEvent::MediaVerdict { verdict, evidence, cure } => Some((verdict, evidence, cure)),
        _ => None,
    });
    html! {
        section #network {
            h2 { "Network quality" }
            @for (verdict, evidence, cure) in verdicts {
                p.verdict { strong { (words(verdict)) } ": " (evidence) @if !cure.is_empty() { ". " (cure) } }
            }
            @match media {
                None => p.none { "No media statistics." },
                Some(rows) => table {
                    thead { tr { th {} th.number { "from caller" } th.number { "to caller" } } }
                    tbody {
                        @for (name, up, down) in rows {
                            tr { th { (name) } td.number { (or_dash(up)) } td.number { (or_dash(down)) } }
                        }
                    }
                },
            }
        }
    }
}

/// Renders the cost, by kind of token.
pub(super) fn cost(call: &CallDetails) -> Markup {
    let Some(summary) = &call.summary else { return html! {} };
    let tokens = &summary.tokens;
    let rows = [
        ("Audio in", tokens.audio_in, tokens.audio_cached),
        ("Audio out", tokens.audio_out, 0),
        ("Text in", tokens.text_in, tokens.text_cached),
        ("Text out", tokens.text_out, 0),
        ("Transcription", tokens.transcript_in + tokens.transcript_out, 0),
    ];
    let total = summary.micro_dollars.map_or_else(|| "price unknown".to_owned(), dollars);
    html! {
        section #cost {
            h2 { "Cost" span.total { (total) } }
            table {
                thead { tr { th { "tokens" } th.number { "uncached" } th.number { "cached" } } }
                tbody {
                    @for (name, fresh, cached) in rows {
                        tr { th { (name) } td.number { (thousands(fresh)) } td.number { (thousands(cached)) } }
                    }
                }
            }
            p.aside {
                (summary.model) ", prices of " (summary.prices_of)
                @if !summary.transcription_priced { ", without transcription" }
            }
        }
    }
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "–".to_owned())
}

fn ms(ms: impl std::borrow::Borrow<u64>) -> String {
    format!("{} ms", ms.borrow())
}

fn per_cent(per_mille: impl std::borrow::Borrow<u64>) -> String {
    format!("{}.{} %", per_mille.borrow() / 10, per_mille.borrow() % 10)
}

fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let groups: Vec<_> =
        digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group)).collect();
    groups.join("\u{202f}")
}
