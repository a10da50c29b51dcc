//! What was said, line by line.

use crate::figures::{length, plural};
use crate::whole_call::WholeCall;
use journal::{Speaker, TranscriptLine};
use maud::{Markup, html};

/// The transcript.
pub(super) fn talk(call: &WholeCall) -> Markup {
    html! {
        section #talk {
            h2 { "What was said" }
            @if call.lines.is_empty() { p.none { "Nothing of it is kept." } }
            ol {
                @for line in &call.lines { (said(call, line)) }
            }
            @if call.left > 0 {
                p.left { "The caller left " (plural(call.left as u64, "thing")) " for people to answer." }
            }
        }
    }
}

fn said(call: &WholeCall, line: &TranscriptLine) -> Markup {
    let (class, who) = match line.speaker {
        Speaker::Caller => ("caller", "Caller"),
        Speaker::Agent => ("agent", "Agent"),
    };
    let cut = line.heard_ms.zip(line.of_ms).filter(|(heard, of)| heard < of);
    html! {
        li.line.(class) {
            div.when { (length(call.since_ring(line.at_ms))) }
            div.words {
                div.who {
                    (who)
                    @if let Some(took) = line.took_ms { span.took { "after " (took) " ms" } }
                    @if line.in_silence { span.cut { "in silence: probably made up by the transcription" } }
                    @if let Some((heard, of)) = cut {
                        span.cut { "interrupted, " (seconds(heard)) " of " (seconds(of)) " s heard" }
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
