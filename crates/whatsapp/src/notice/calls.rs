//! Parses the webhook field `calls`: `connect`, `terminate` and other events of calls.

use super::json::{error_codes, items, lower, seconds, text};
use super::media::media;
use super::{Batch, Caller, ConnectDetails, Notice, NoticeKind, Origin, messages};
use serde_json::Value;

/// Parses the value of a change.
pub(super) fn read(value: &Value, origin: &Origin, batch: &mut Batch) {
    let before = batch.notices.len() + batch.chats;
    let is_alone = items(value, "calls").count() == 1;
    batch.notices.extend(items(value, "calls").map(|call| read_call(call, value, is_alone, origin)));
    for status in items(value, "statuses") {
        if !is_of_a_message(status) {
            batch.notices.push(read_status(status, origin));
        } else if let Some(failed) = messages::read_failed(status, origin) {
            batch.notices.push(failed);
        } else {
            batch.chats += 1;
        }
    }
    // Errors beside a single call are that call's: Meta writes them in both places.
    let errors = error_codes(value);
    if !errors.is_empty() && !is_alone {
        batch
            .notices
            .push(Notice::of(origin.about(), "errors", value, NoticeKind::Trouble { errors }).with_digest());
    } else if batch.notices.len() + batch.chats == before {
        batch.notices.push(Notice::unreadable("calls", value, origin));
    }
}

fn read_call(call: &Value, value: &Value, is_alone: bool, origin: &Origin) -> Notice {
    let Some(id) = text(call, "id") else {
        return Notice::unreadable("call", call, origin);
    };
    let mut errors = error_codes(call);
    if is_alone {
        errors.extend(error_codes(value).iter().filter(|code| !errors.contains(code)).collect::<Vec<_>>());
    }
    let event = lower(call, "event");
    let what = kind_of(&event, call, errors);
    let contact = contact_of(call, value, is_alone);
    let of_contact = |name| contact.and_then(|contact| text(contact, name));
    let caller = Caller {
        number: text(call, person(call, "from", "to")).or_else(|| of_contact("wa_id")),
        user_id: text(call, person(call, "from_user_id", "to_user_id")).or_else(|| of_contact("user_id")),
    };
    let details = match what {
        NoticeKind::Offer(_) => ConnectDetails::read(call, contact, value),
        _ => ConnectDetails::default(),
    };
    let notice = Notice { caller, details, ..Notice::of(origin.call(id), &event, call, what) };
    if notice.what == NoticeKind::Unknown { notice.with_digest() } else { notice }
}

fn kind_of(event: &str, call: &Value, errors: Vec<u64>) -> NoticeKind {
    match event {
        "connect" => connect(call, errors),
        "terminate" => NoticeKind::Over { errors, talked_s: talked(call) },
        "call_created" => NoticeKind::Created,
        "call_recording_available" => NoticeKind::Recording(media(call.get("call_recording"), "audio")),
        "call_transcription_available" => {
            NoticeKind::Transcript(media(call.get("call_transcript"), "document"))
        }
        _ if !errors.is_empty() => NoticeKind::Trouble { errors },
        _ => NoticeKind::Unknown,
    }
}

/// An offer without a direction is from a caller; an answer belongs to a call that we made.
fn connect(call: &Value, errors: Vec<u64>) -> NoticeKind {
    let session = call.get("session").unwrap_or(&Value::Null);
    match (lower(session, "sdp_type").as_str(), text(session, "sdp")) {
        ("offer", Some(sdp)) => NoticeKind::Offer(sdp),
        ("", Some(sdp)) if !is_from_us(call) => NoticeKind::Offer(sdp),
        ("answer", _) => NoticeKind::Answer,
        _ if !errors.is_empty() => NoticeKind::Trouble { errors },
        _ => NoticeKind::Unknown,
    }
}

/// Returns how long the call lasted, seconds; `None` if it was not answered.
fn talked(call: &Value) -> Option<u64> {
    seconds(call, "duration").or_else(|| seconds(call, "end_time")?.checked_sub(seconds(call, "start_time")?))
}

fn is_from_us(call: &Value) -> bool {
    lower(call, "direction") == "business_initiated"
}

/// Returns the field that names the person: the callee in a call that we made, else the caller.
fn person<'a>(call: &Value, calling: &'a str, called: &'a str) -> &'a str {
    if is_from_us(call) { called } else { calling }
}

/// Returns the contact of a call's person, or the only contact beside the only call.
fn contact_of<'a>(call: &Value, value: &'a Value, is_alone: bool) -> Option<&'a Value> {
    let names = |contact: &&Value| {
        let same = |ours, theirs| text(contact, ours).is_some_and(|id| text(call, theirs) == Some(id));
        same("wa_id", person(call, "from", "to"))
            || same("user_id", person(call, "from_user_id", "to_user_id"))
    };
    let first = items(value, "contacts").next().filter(|_| is_alone);
    items(value, "contacts").find(names).or(first)
}

/// Whether a status is of a message: they share the array with those of calls.
fn is_of_a_message(status: &Value) -> bool {
    lower(status, "type") == "message" || text(status, "id").is_some_and(|id| id.starts_with("wamid."))
}

fn read_status(status: &Value, origin: &Origin) -> Notice {
    let Some(id) = text(status, "id") else {
        return Notice::unreadable("status", status, origin);
    };
    let what = match lower(status, "status").as_str() {
        "ringing" => NoticeKind::Ringing,
        "accepted" => NoticeKind::Accepted,
        "rejected" => NoticeKind::Rejected,
        _ => NoticeKind::Unknown,
    };
    let caller = Caller { number: text(status, "recipient_id"), user_id: text(status, "recipient_user_id") };
    let notice = Notice { caller, ..Notice::of(origin.call(id), "status", status, what) };
    if notice.what == NoticeKind::Unknown { notice.with_digest() } else { notice }
}
