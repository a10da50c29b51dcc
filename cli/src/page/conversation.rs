//! Renders the conversation of the report, line by line, with interruptions and response times.

use crate::call_details::CallDetails;
use crate::figures::{duration, plural};
use journal::{Speaker, TranscriptLine};
use maud::{Markup, html};

/// Renders the transcript.
pub(super) fn transcript(call: &CallDetails) -> Markup {
    html! {
        section #talk {
            h2 { "Transcript" }
            @if call.lines.is_empty() { p.none { "No transcript is stored." } }
            ol {
                @for line in &call.lines { (line_item(call, line)) }
            }
            @if call.left > 0 {
                p.left { "The caller left " (plural(call.left as u64, "note")) " for people to answer." }
            }
        }
    }
}

fn line_item(call: &CallDetails, line: &TranscriptLine) -> Markup {
    let (class, who) = match line.speaker {
        Speaker::Caller => ("caller", "Caller"),
        Speaker::Agent => ("agent", "Agent"),
    };
    let cut = line.heard_ms.zip(line.of_ms).filter(|(heard, of)| heard < of);
    html! {
        li.line.(class) {
            div.when { (duration(call.since_ring(line.at_ms))) }
            div.words {
                div.who {
                    (who)
                    @if let Some(took) = line.took_ms { span.took { "after " (took) " ms" } }
                    @if line.in_silence { span.cut { "in silence: probably invented by the transcriber" } }
                    @if let Some((heard, of)) = cut {
                        span.cut { "interrupted, " (seconds(heard)) " of " (seconds(of)) " s played" }
                    }
                }
                p dir="auto" { (line.text) @if cut.is_some() { " —" } }
            }
        }
    }
}

fn seconds(ms: u64) -> String {
    format!("{:.1}", ms as f64 / 1_000.0)
}
