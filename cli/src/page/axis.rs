//! Renders the report's timeline: ring and answer, both sides' audio levels, response times, barge-ins and tools.

use crate::call_details::CallDetails;
use crate::figures::duration;
use journal::JournalEvent;
use maud::{Markup, html};
use std::fmt::Write;
use store::{AudioLevels, MOMENT_MS, Side};

/// The most bars a voice is drawn with; more would overlap.
const BARS: u64 = 300;

/// The lowest level that is drawn: -46 dBFS, a quiet room.
const QUIET: f64 = 60.0;

/// The most time labels on the axis.
const LABELS: u64 = 7;

/// The possible distances between labels, in ms.
const STEPS_MS: [u64; 12] =
    [500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000];

/// The axis, from the ring to the call's end.
struct Scale {
    length_ms: u64,
}

/// Renders the axis with its lanes.
pub(super) fn axis(call: &CallDetails) -> Markup {
    let scale = Scale { length_ms: call.length_ms().max(1_000) };
    let carries_audio = call.listed.carries_audio();
    html! {
        section #axis {
            div.lanes {
                (ring_lane(call, &scale))
                @if carries_audio { (voice_lane("Caller", "caller", call, &scale, Side::Caller)) }
                (voice_lane("Agent", "agent", call, &scale, Side::Agent))
                (turn_lane(call, &scale))
                (tool_lane(call, &scale))
                (time_labels(&scale))
            }
            @if carries_audio && call.levels.is_none() && call.listed.accepted_at_ms.is_some() {
                p.none { "No audio levels: the agent stores no transcripts." }
            }
            p.legend {
                span.key.ringing { "ringing" }
                @if carries_audio {
                    span.key.caller { "caller" }
                    span.key.agent { "agent" }
                }
                span.key.wait { "caller waits for an answer" }
                span.key.tool { "tool" }
                span.key.cut { "interruption" }
            }
        }
    }
}

/// Renders the lane with ring, answer and end.
fn ring_lane(call: &CallDetails, scale: &Scale) -> Markup {
    let accepted = call.listed.accepted_at_ms.map(|at| call.since_ring(at));
    let ended = call.listed.ended_at_ms.map(|at| call.since_ring(at));
    let rang_for = accepted.or(ended).unwrap_or(scale.length_ms);
    html! {
        div.lane data-lane="ring" {
            div.label { "Ring" }
            div.track {
                div.ringing style=(scale.stretch(0, rang_for)) title={ "rang for " (rang_for) " ms" } {}
                @if let Some(at) = accepted {
                    div.mark.answered style=(scale.at(at)) { span { "answered " (at) " ms" } }
                }
                @if let Some(at) = ended { div.mark.ended style=(scale.at(at)) { span { "end " (duration(at)) } } }
            }
        }
    }
}

fn voice_lane(label: &str, class: &str, call: &CallDetails, scale: &Scale, side: Side) -> Markup {
    let bars = call.levels.as_ref().map(|levels| bars(levels, side, call, scale)).unwrap_or_default();
    let cuts = call.entries.iter().filter_map(|entry| match entry.event {
        JournalEvent::Interrupted { heard_ms, of_ms, .. } if side == Side::Agent => {
            let of = of_ms.map(|of| format!(" of {of}")).unwrap_or_default();
            Some((call.since_ring(entry.at_ms), heard_ms, of))
        }
        _ => None,
    });
    html! {
        div.lane.voice data-lane=(class) {
            div.label { (label) }
            div.track {
                svg.(class) viewBox={ "0 0 " (scale.length_ms) " 100" } preserveAspectRatio="none" role="img"
                    aria-label={ "when the " (class) " spoke" } {
                    path d=(bars) {}
                }
                @for (at, heard, of) in cuts {
                    div.cut style=(scale.at(at)) title={ "interrupted: " (heard) (of) " ms played" } {}
                }
            }
        }
    }
}

/// Returns the SVG path of a voice: one vertical stroke for each bar, around the middle.
fn bars(levels: &AudioLevels, side: Side, call: &CallDetails, scale: &Scale) -> String {
    let heard = match side {
        Side::Caller => &levels.caller,
        Side::Agent => &levels.agent,
    };
    let bar_ms = (scale.length_ms / BARS).max(MOMENT_MS);
    let from_ms = call.since_ring(levels.from_ms);
    let mut path = String::new();
    for bar in 0..scale.length_ms.div_ceil(bar_ms) {
        let (begin, end) = (bar * bar_ms, (bar + 1) * bar_ms);
        let moment = |at: u64| (at.saturating_sub(from_ms) / MOMENT_MS) as usize;
        let some = heard.get(moment(begin)..moment(end).min(heard.len())).unwrap_or_default();
        let loudest = some.iter().copied().max().filter(|_| end > from_ms).unwrap_or_default();
        let height = ((f64::from(loudest) - QUIET) / (255.0 - QUIET)).clamp(0.0, 1.0).powf(1.4) * 62.0;
        if height > 0.3 {
            let x = begin + bar_ms / 2;
            let height = height.clamp(3.0, 48.0);
            write!(path, "M{x} {:.1}V{:.1}", 50.0 - height, 50.0 + height)
                .expect("writing to a String cannot fail");
        }
    }
    path
}

/// Renders the lane of response times: how long the caller waited for each answer.
fn turn_lane(call: &CallDetails, scale: &Scale) -> Markup {
    html! {
        div.lane data-lane="turns" {
            div.label { "Waits" }
            div.track {
                @for turn in call.turns() {
                    @let from = call.since_ring(turn.at_ms).saturating_sub(turn.took_ms);
                    div.wait style=(scale.stretch(from, turn.took_ms)) title={ "turn " (turn.turn) ": " (turn.took_ms) " ms" } {
                        span { (turn.took_ms) }
                    }
                }
            }
        }
    }
}

fn tool_lane(call: &CallDetails, scale: &Scale) -> Markup {
    let used: Vec<_> = call
        .entries
        .iter()
        .filter_map(|entry| match &entry.event {
            JournalEvent::Tool { tool, took_ms, outcome } => {
                Some((call.since_ring(entry.at_ms).saturating_sub(*took_ms), *took_ms, tool, outcome))
            }
            _ => None,
        })
        .collect();
    html! {
        @if !used.is_empty() {
            div.lane data-lane="tools" {
                div.label { "Tools" }
                div.track {
                    @for (from, took, tool, outcome) in used {
                        div.tool.bad[outcome != "done"] .late[from * 10 > scale.length_ms * 8]
                            style=(scale.stretch(from, took)) title={ (tool) ": " (outcome) " after " (took) " ms" } {
                            span { (tool) }
                        }
                    }
                }
            }
        }
    }
}

fn time_labels(scale: &Scale) -> Markup {
    let step = STEPS_MS.into_iter().find(|step| scale.length_ms / step < LABELS);
    let step = step.unwrap_or(scale.length_ms / LABELS);
    let places = (0..=scale.length_ms / step).map(|n| n * step);
    html! {
        div.lane.times {
            div.label {}
            div.track {
                @for at in places { div.time style=(scale.at(at)) { span { (duration(at)) } } }
            }
        }
    }
}

impl Scale {
    fn at(&self, ms: u64) -> String {
        format!("left:{:.3}%", self.per_cent(ms))
    }

    fn stretch(&self, from_ms: u64, lasts_ms: u64) -> String {
        let to = self.per_cent(from_ms.saturating_add(lasts_ms));
        let from = self.per_cent(from_ms);
        format!("left:{from:.3}%;width:{:.3}%", to - from)
    }

    fn per_cent(&self, ms: u64) -> f64 {
        ms.min(self.length_ms) as f64 * 100.0 / self.length_ms as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_beyond_the_end_are_drawn_at_the_end() {
        let scale = Scale { length_ms: 10_000 };

        assert_eq!(scale.at(2_500), "left:25.000%");
        assert_eq!(scale.stretch(9_000, 5_000), "left:90.000%;width:10.000%");
    }
}
