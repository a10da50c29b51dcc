//! Sums a session up in a few lines: what was said and heard, which tools were called, how it ended, and its violations.

use crate::{ObservationKind, SessionReport, Spoken};
use std::fmt;

/// The summary of a session that is over.
#[derive(Debug)]
pub struct Summary<'a>(pub &'a SessionReport);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        let seen = || report.observations.iter();
        let (Some(first), Some(last)) = (seen().next(), seen().last()) else {
            return f.write_str("nothing happened");
        };
        let model = seen().find_map(|it| match &it.kind {
            ObservationKind::Connected { model } => Some(model.as_str()),
            _ => None,
        });
        let lasted = last.at.saturating_duration_since(first.at).as_secs_f64();
        writeln!(f, "{}, {lasted:.1} s", model.unwrap_or("refused at once"))?;
        list(f, "said", report.spoken.iter().map(said))?;
        let turns = seen().filter_map(|it| match &it.kind {
            ObservationKind::Committed { audio_ms, .. } => Some(format!("{audio_ms} ms")),
            _ => None,
        });
        list(f, "turns heard", turns)?;
        list(f, "functions called", seen().filter_map(|it| function(&it.kind)))?;
        list(f, "remote tools called", report.mcp_calls.iter().cloned())?;
        list(f, "cancelled and failed", seen().filter_map(|it| ended_early(&it.kind)))?;
        list(
            f,
            "replayed",
            (!report.replayed.is_empty()).then(|| format!("{} items", report.replayed.len())),
        )?;
        list(f, "closed", seen().filter_map(|it| closed(&it.kind)))?;
        write!(f, "  faults: ")?;
        if report.violations.is_empty() {
            f.write_str("none")
        } else {
            f.write_str(&report.violations.join("; "))
        }
    }
}

/// A line, if there is anything to list.
fn list(f: &mut fmt::Formatter<'_>, name: &str, items: impl IntoIterator<Item = String>) -> fmt::Result {
    let items: Vec<String> = items.into_iter().collect();
    if items.is_empty() { Ok(()) } else { writeln!(f, "  {name}: {}", items.join(", ")) }
}

fn said(spoken: &Spoken) -> String {
    match spoken.truncated_at_ms {
        Some(heard) => format!("{} ({heard} of {} ms heard)", spoken.clip, spoken.sent_ms),
        None => format!("{} ({} ms)", spoken.clip, spoken.sent_ms),
    }
}

fn function(seen: &ObservationKind) -> Option<String> {
    match seen {
        ObservationKind::FunctionCalled { name, .. } => Some(name.clone()),
        _ => None,
    }
}

fn ended_early(seen: &ObservationKind) -> Option<String> {
    match seen {
        ObservationKind::Cancelled { reason, .. } => Some((*reason).to_owned()),
        ObservationKind::Failed { code, .. } => Some((*code).to_owned()),
        _ => None,
    }
}

fn closed(seen: &ObservationKind) -> Option<String> {
    match seen {
        ObservationKind::Closed { why } => Some(why.trim_end_matches(": ").to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Observation;
    use std::time::{Duration, Instant};

    #[test]
    fn a_session_is_summarized_in_a_few_lines() {
        let began = Instant::now();
        let seen = |ms, kind| Observation { at: began + Duration::from_millis(ms), session: 0, kind };
        let spoken = |clip: &str, sent_ms, truncated_at_ms| Spoken {
            item_id: "item".to_owned(),
            clip: clip.to_owned(),
            sent_ms,
            truncated_at_ms,
        };
        let report = SessionReport {
            spoken: vec![spoken("agent-greeting", 5_161, None), spoken("agent-long", 2_846, Some(450))],
            mcp_calls: vec!["shop.opening_hours".to_owned()],
            observations: vec![
                seen(0, ObservationKind::Connected { model: "gpt-realtime-2.1".to_owned() }),
                seen(1_000, ObservationKind::Committed { item: "item".to_owned(), audio_ms: 3_160 }),
                seen(
                    2_000,
                    ObservationKind::Cancelled { response: "resp".to_owned(), reason: "turn_detected" },
                ),
                seen(9_500, ObservationKind::Closed { why: "the client closed with 1000: ".to_owned() }),
            ],
            ..SessionReport::default()
        };

        let summary = Summary(&report).to_string();

        let wanted = "gpt-realtime-2.1, 9.5 s
  said: agent-greeting (5161 ms), agent-long (450 of 2846 ms heard)
  turns heard: 3160 ms
  remote tools called: shop.opening_hours
  cancelled and failed: turn_detected
  closed: the client closed with 1000
  faults: none";
        assert_eq!(summary, wanted);
    }
}
