//! Renders a call's report as one HTML page: timeline, transcript, response times, network quality and cost.
//!
//! The page loads and runs nothing, and escapes everything that was said in the call.

mod axis;
mod conversation;
mod figures;

use crate::call_details::{self, CallDetails};
use crate::figures::{dollars, duration, hundredths, moment, plural, short, words};
use call::{Line, Party, Recorded};
use journal::JournalEvent;
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("page/style.css");

/// The Content-Security-Policy: no script and no request, whatever the transcript contains.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// Renders a call's report.
pub(crate) fn page(call: &CallDetails) -> String {
    let title = format!("Call {}", short(&call.listed.call_ref));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) ", " (moment(call.listed.rang_at_ms)) " UTC" }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    (head(call))
                    (facts(call))
                    (axis::axis(call))
                    div.columns {
                        (conversation::transcript(call))
                        div.side {
                            (figures::turns(call))
                            @if call.listed.carries_audio() { (figures::network(call)) }
                            (figures::cost(call))
                        }
                    }
                    (events(call))
                    footer { "Made by " code { "ahoy report" } ". Times count from the ring; dates are UTC." }
                }
            }
        }
    };
    page.into_string()
}

fn head(call: &CallDetails) -> Markup {
    let listed = &call.listed;
    let is_bad = matches!(listed.by, Some(Recorded::Known(Party::Us | Party::Meta | Party::Line)));
    let agent = call.summary.as_ref().map(|summary| (summary.agent.as_str(), summary.model.as_str()));
    html! {
        header {
            p.over { "Call " code { (short(&listed.call_ref)) } }
            h1 {
                @match agent {
                    Some((name, _)) => (name),
                    None => "An unanswered call",
                }
            }
            p.under {
                (moment(listed.rang_at_ms)) " UTC"
                span.dot { "·" } (line_name(&listed.line)) " number " code { (listed.number) }
                @if let Some((_, model)) = agent { span.dot { "·" } (model) }
                span.dot { "·" }
                @match (&listed.ending, &listed.by) {
                    (Some(ending), Some(by)) => span.ending.bad[is_bad] { (words(&ending.to_string())) ", by " (by) },
                    _ => span.ending.live { "in progress" },
                }
            }
        }
    }
}

/// Names a line for people; one of a later release by its word.
fn line_name(line: &Recorded<Line>) -> &str {
    match line {
        Recorded::Known(Line::WhatsApp) => "WhatsApp",
        Recorded::Known(Line::Sip) => "telephone",
        Recorded::Other(word) => word,
    }
}

fn facts(call: &CallDetails) -> Markup {
    let first_word = call.entries.iter().find_map(|entry| match entry.event {
        JournalEvent::FirstWord { after_open_ms } => Some(after_open_ms),
        _ => None,
    });
    let answered = call.listed.accepted_at_ms.map(|at| call.since_ring(at));
    let summary = call.summary.as_ref();
    let turn = summary.and_then(|summary| summary.turn_p50_ms);
    let quality = summary.and_then(|summary| summary.mos_up);
    let without = summary.map(|it| it.without.iter().map(|part| words(part)).collect::<Vec<_>>().join(", "));
    let without = without.filter(|parts| !parts.is_empty());
    let is_transcribed = summary.is_some_and(|it| it.transcription_priced && it.transcript_ms > 0);
    let of = if is_transcribed { "model and transcription" } else { "model" };
    let start = call.listed.start.as_deref().map(|start| format!("{start} start"));
    html! {
        section.facts {
            (fact("Answered after", answered, "ms", start.as_deref()))
            (fact("First word", first_word, "ms", Some("after the call was accepted")))
            (fact("Median turn", turn, "ms", summary.map(|it| plural(it.turns, "turn")).as_deref()))
            (fact("Interrupted", summary.map(|it| it.interruptions), "×", Some("by the caller")))
            @if call.listed.carries_audio() {
                (fact_of("Caller audio", quality.map(hundredths), "MOS", summary.and_then(|it| it.verdict.as_deref()).map(words).or(quality.map(|_| "media fine".to_owned())).as_deref()))
            }
            (fact_of("Lasted", call.listed.lasted_ms().map(duration), "", Some("minutes")))
            (fact_of("Cost", summary.and_then(|it| it.micro_dollars).map(dollars), "", Some(of)))
            @if without.is_some() { (fact_of("Without", without, "", Some("refused by OpenAI"))) }
        }
    }
}

fn fact(name: &str, value: Option<u64>, unit: &str, aside: Option<&str>) -> Markup {
    fact_of(name, value.map(|value| value.to_string()), unit, aside)
}

fn fact_of(name: &str, value: Option<String>, unit: &str, aside: Option<&str>) -> Markup {
    html! {
        div.fact {
            div.name { (name) }
            div.value {
                @match value {
                    Some(value) => { (value) @if !unit.is_empty() { span.unit { (unit) } } },
                    None => span.none { "–" },
                }
            }
            div.aside { (aside.unwrap_or_default()) }
        }
    }
}

fn events(call: &CallDetails) -> Markup {
    html! {
        details #events {
            summary { "All events" span.count { (call.entries.len()) } }
            div.scroll {
                table {
                    thead { tr { th.number { "ms" } th { "event" } th { "details" } th { "written by" } } }
                    tbody {
                        @for entry in &call.entries {
                            tr {
                                td.number { (call.since_ring(entry.at_ms)) }
                                td.name { (call_details::event_name(entry)) }
                                td.what { (call_details::event_details(entry)) }
                                td.by { (call_details::writer(entry)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use call::Ending;
    use journal::{Speaker, TranscriptLine};
    use store::CallListing;

    #[test]
    fn the_transcript_is_escaped() {
        let hostile = "<script>alert(1)</script><img src=x onerror=\"alert(2)\"> & \u{202e}";
        let page = page(&call_with(hostile));

        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    }

    #[test]
    fn a_call_without_journal_or_summary_has_a_page() {
        let listed = CallListing { ended_at_ms: None, ..call_with("").listed };
        let call = CallDetails { listed, lines: vec![], ..call_with("") };

        assert!(page(&call).contains("An unanswered call"));
    }

    #[test]
    fn a_telephone_calls_page_has_no_figures_of_its_sound() {
        let by_whatsapp = call_with("Hello");
        let listed = CallListing { line: Line::Sip.into(), number: "malta".into(), ..call_with("").listed };
        let by_telephone = CallDetails { listed, ..call_with("Hello") };
        let of_sound = ["Caller audio", "Network quality", "data-lane=\"caller\""];

        let (whatsapp, telephone) = (page(&by_whatsapp), page(&by_telephone));

        assert!(whatsapp.contains("WhatsApp number") && of_sound.iter().all(|part| whatsapp.contains(part)));
        assert!(telephone.contains("telephone number <code>malta</code>"), "{telephone}");
        assert!(!of_sound.iter().any(|part| telephone.contains(part)), "{telephone}");
    }

    fn call_with(text: &str) -> CallDetails {
        let listed = CallListing {
            call_ref: "ab".repeat(32).into(),
            line: Line::WhatsApp.into(),
            number: "220".into(),
            rang_at_ms: 1_000,
            start: None,
            accepted_at_ms: None,
            ended_at_ms: Some(9_000),
            ending: Some(Ending::CallerGaveUp.into()),
            by: Some(Party::Caller.into()),
        };
        let line = TranscriptLine {
            place: 0,
            speaker: Speaker::Caller,
            text: text.into(),
            at_ms: 2_000,
            heard_ms: None,
            of_ms: None,
            took_ms: None,
            tool_ms: None,
            in_silence: false,
        };
        CallDetails {
            listed,
            entries: vec![],
            lines: vec![line],
            left: 0,
            summary: None,
            extraction: None,
            levels: None,
        }
    }
}
