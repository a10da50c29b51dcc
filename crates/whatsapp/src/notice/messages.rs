//! The field `messages`: of other people's chats only what is about calls is read.

use super::calls::media;
use super::json::{items, lower, seconds, text};
use super::{Batch, Caller, Notice, Place, What, mark_of};
use serde_json::Value;

/// Reads the value of a change. What is not about calls is counted.
pub(super) fn read(value: &Value, place: &Place, batch: &mut Batch) {
    let messages = items(value, "messages").count() + items(value, "statuses").count();
    let about_calls: Vec<_> =
        items(value, "messages").filter_map(|message| read_message(message, place)).collect();
    batch.chats += messages.max(1) - about_calls.len();
    batch.notices.extend(about_calls);
}

fn read_message(message: &Value, place: &Place) -> Option<Notice> {
    let notice = voicemail(message, place).or_else(|| permission_reply(message, place))?;
    let caller = Caller { number: text(message, "from"), user_id: text(message, "from_user_id") };
    Some(Notice { caller, ..notice })
}

/// A voicemail is a message whose id is the call's.
fn voicemail(message: &Value, place: &Place) -> Option<Notice> {
    let call = text(message, "id").filter(|id| is_call(id))?;
    let what = What::Voicemail(media(Some(message), "audio"));
    Some(Notice::of(place.call(call), "voicemail", message, what))
}

/// It belongs to a call if it was given after one, in reply to WhatsApp's own question.
fn permission_reply(message: &Value, place: &Place) -> Option<Notice> {
    let interactive = message.get("interactive")?;
    if lower(interactive, "type") != "call_permission_reply" {
        return None;
    }
    let reply = interactive.get("call_permission_reply").unwrap_or(&Value::Null);
    let call = message.get("context").and_then(|context| text(context, "id")).filter(|id| is_call(id));
    let what = What::PermissionReply {
        is_granted: lower(reply, "response") == "accept",
        is_permanent: reply.get("is_permanent").and_then(Value::as_bool).unwrap_or_default(),
        until: seconds(reply, "expiration_timestamp"),
        is_automatic: lower(reply, "response_source") == "automatic",
    };
    let about = call.map_or_else(|| place.about(), |call| place.call(call));
    let notice = Notice::of(about, "call_permission_reply", message, what);
    let notice = match text(message, "id") {
        Some(id) => Notice { mark: mark_of(&id), ..notice },
        None => notice.marked(),
    };
    Some(Notice { status: lower(reply, "response"), ..notice })
}

fn is_call(id: &str) -> bool {
    id.starts_with("wacid.")
}
