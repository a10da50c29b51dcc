//! The body of an event: what a business is told, as JSON. docs/outcome.md describes it.

mod outcome;

use crate::{CallFacts, Extraction, Left};
use agents::{After, AfterEvent};
use call::{CallRef, CallerDetails, Fence, Line, NumberId};
use jiff::Timestamp;
use journal::JournalEvent;
use outcome::{Outcome, ToldLine};
use serde::Serialize;
use serde_json::{Map, Value};

/// The largest body that is sent, in bytes. A longer transcript is cut.
pub const LARGEST_BODY: usize = 256 * 1024;

/// An event of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id, by which a receiver knows a repeat.
    pub id: String,
    /// What happened.
    pub what: AfterEvent,
    /// When it happened, ms since 1970.
    pub at_ms: u64,
    /// The sort key of what the caller left, if it is about that.
    pub about: Option<String>,
    /// The assignment whose task was to write a summary, if there was one.
    pub fence: Option<Fence>,
}

/// Why an event has no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// What it is about is gone.
    Gone,
    /// The journal does not have yet what it is to say.
    NotYet,
}

/// Returns the body of an event.
///
/// # Errors
/// When what it is about is not stored.
pub fn body(
    event: &Event,
    call: &CallFacts,
    after: &After,
    extraction: Option<&Extraction>,
) -> Result<Vec<u8>, BodyError> {
    let rest = match event.what {
        AfterEvent::CallEnded | AfterEvent::CallRejected => {
            Rest::Outcome(Box::new(Outcome::of(event, call, extraction)))
        }
        AfterEvent::MessageTaken | AfterEvent::CallbackRequested => {
            let about = call.left.iter().find(|left| event.about.as_ref() == Some(&left.key));
            Rest::Left { left: [about.ok_or(BodyError::Gone)?.into()] }
        }
        AfterEvent::PersonWanted => Rest::Nothing {},
        AfterEvent::NearCap => near_cap(call).ok_or(BodyError::NotYet)?,
    };
    let mut body = Body {
        event: event.what.as_str(),
        id: &event.id,
        at: rfc_3339(event.at_ms),
        call: &call.call_ref,
        agent: &call.agent,
        number: &call.number,
        line: call.line,
        caller: after.tells_caller.then(|| Caller::of(&call.caller)),
        rest,
    };
    if after.transcript && event.what == AfterEvent::CallEnded {
        body.add_transcript(call);
    }
    Ok(body.to_json())
}

/// The body of any event.
#[derive(Serialize)]
struct Body<'a> {
    event: &'static str,
    id: &'a str,
    at: String,
    call: &'a CallRef,
    agent: &'a str,
    number: &'a NumberId,
    line: Line,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<Caller<'a>>,
    #[serde(flatten)]
    rest: Rest<'a>,
}

/// What an event has beside the fields of all.
#[derive(Serialize)]
#[serde(untagged)]
enum Rest<'a> {
    Outcome(Box<Outcome<'a>>),
    Left { left: [ToldLeft<'a>; 1] },
    NearCap { spent_usd: f64, cap_usd: f64 },
    Nothing {},
}

#[derive(Serialize)]
struct Caller<'a> {
    number: Option<String>,
    number_verified: bool,
    user_id: Option<&'a str>,
    name: Option<&'a str>,
}

#[derive(Serialize)]
struct ToldLeft<'a> {
    kind: &'a str,
    left_at: String,
    #[serde(flatten)]
    content: &'a Map<String, Value>,
}

impl<'a> Body<'a> {
    /// Adds the transcript, as many of its lines as there is room for.
    fn add_transcript(&mut self, call: &'a CallFacts) {
        let mut room = LARGEST_BODY
            .saturating_sub(self.to_json().len() + br#","transcript":[],"transcript_cut":true"#.len());
        let Rest::Outcome(outcome) = &mut self.rest else { return };
        let mut told = vec![];
        for line in call.spoken_lines().map(ToldLine::from) {
            let size = serde_json::to_vec(&line).map_or(usize::MAX, |json| json.len() + 1);
            let Some(left) = room.checked_sub(size) else {
                outcome.transcript_cut = true;
                break;
            };
            room = left;
            told.push(line);
        }
        outcome.transcript = Some(told);
    }

    fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers can be written as JSON")
    }
}

impl<'a> Caller<'a> {
    fn of(details: &'a CallerDetails) -> Self {
        Self {
            number: details.international_number(),
            number_verified: details.number_verified,
            user_id: details.user_id.as_deref(),
            name: details.name.as_deref(),
        }
    }
}

impl<'a> From<&'a Left> for ToldLeft<'a> {
    fn from(left: &'a Left) -> Self {
        Self { kind: &left.kind, left_at: rfc_3339(left.left_at_ms), content: &left.content }
    }
}

/// Returns the spending that the call's journal recorded. Another process may write it after the event.
fn near_cap<'a>(call: &CallFacts) -> Option<Rest<'a>> {
    call.entries.iter().rev().find_map(|entry| match entry.event {
        JournalEvent::CapNear { spent_micro_dollars, cap_micro_dollars } => Some(Rest::NearCap {
            spent_usd: dollars(spent_micro_dollars),
            cap_usd: dollars(cap_micro_dollars),
        }),
        _ => None,
    })
}

fn dollars(micro_dollars: u64) -> f64 {
    micro_dollars as f64 / 1e6
}

/// Returns a time in milliseconds since 1970 as text, such as `2026-11-22T18:04:35.123Z`.
fn rfc_3339(ms: u64) -> String {
    let at = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    format!("{:.3}", at.unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_call::{after, call, ended, event, line};
    use serde_json::json;

    #[test]
    fn a_caller_is_told_only_if_the_file_asks() {
        let quiet = told(&ended(), &call(), &after());
        let open = told(&ended(), &call(), &After { tells_caller: true, ..after() });

        assert_eq!(quiet.get("caller"), None);
        assert_eq!(
            open["caller"],
            json!({"number": "+919900000001", "number_verified": true, "user_id": "IN.planted", "name": "Asha"})
        );
    }

    #[test]
    fn a_transcript_is_told_at_the_end_if_the_file_asks() {
        let asks = After { transcript: true, ..after() };

        assert_eq!(told(&ended(), &call(), &after()).get("transcript"), None);
        assert_eq!(told(&event(AfterEvent::CallRejected), &call(), &asks).get("transcript"), None);
        let told = told(&ended(), &call(), &asks);
        assert_eq!(told["transcript"].as_array().map(Vec::len), Some(2));
        assert_eq!(
            told["transcript"][0],
            json!({"who": "agent", "at": "2026-11-22T00:00:03.000Z", "text": "Hello."})
        );
    }

    #[test]
    fn a_long_transcript_is_cut_to_the_size_of_a_body() {
        let lines = (0..2_000).map(|place| line(place, &"é\"".repeat(100))).collect();
        let long = CallFacts { lines, ..call() };

        let body = body(&ended(), &long, &After { transcript: true, ..after() }, None).unwrap();

        assert!((LARGEST_BODY - 1_000..=LARGEST_BODY).contains(&body.len()), "{}", body.len());
        let told: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(told["transcript_cut"], true);
    }

    #[test]
    fn an_event_about_what_is_gone_has_no_body() {
        let gone = Event { about: Some("LEFT#000009".to_owned()), ..event(AfterEvent::MessageTaken) };

        assert_eq!(body(&gone, &call(), &after(), None), Err(BodyError::Gone));
    }

    #[test]
    fn a_cap_that_is_near_waits_for_the_journal() {
        let early = CallFacts { entries: vec![], ..call() };

        assert_eq!(body(&event(AfterEvent::NearCap), &early, &after(), None), Err(BodyError::NotYet));
    }

    fn told(event: &Event, call: &CallFacts, after: &After) -> Value {
        serde_json::from_slice(&body(event, call, after, None).unwrap()).unwrap()
    }
}
