//! Parses the webhook field `messages`: voicemails, call permissions, changed user ids and failed messages. Other people's chats are not
//! read.

use super::json::{error_codes, items, lower, seconds, text};
use super::media::media;
use super::{Batch, Caller, Notice, NoticeKind, Origin, digest_of};
use crate::message_ref;
use serde_json::Value;

/// The system messages that report a changed user id or number.
const CHANGES: [&str; 3] = ["user_changed_user_id", "user_changed_number", "customer_changed_number"];

/// The keys of a system message that hold a name of the person. Values under other keys are no names, whatever they look like.
const NAMES: [&str; 9] = [
    "wa_id",
    "old_wa_id",
    "new_wa_id",
    "customer",
    "user_id",
    "old_user_id",
    "new_user_id",
    "previous_user_id",
    "current_user_id",
];

/// The keys under which a name has both its values.
const WHICH: [&str; 4] = ["previous", "current", "old", "new"];

/// Parses the value of a change, and counts what is not about calls.
pub(super) fn read(value: &Value, origin: &Origin, batch: &mut Batch) {
    let messages = items(value, "messages").count() + items(value, "statuses").count();
    let notices = items(value, "messages").filter_map(|message| read_message(message, value, origin));
    let failed = items(value, "statuses").filter_map(|status| read_failed(status, origin));
    let read: Vec<_> = notices.chain(failed).collect();
    batch.chats += messages.max(1) - read.len();
    batch.notices.extend(read);
}

/// Parses a failed message status. The message may be one of ours, which the hash of its id shows. Any other status belongs to a chat.
pub(super) fn read_failed(status: &Value, origin: &Origin) -> Option<Notice> {
    let id = text(status, "id").filter(|id| !is_call(id))?;
    if lower(status, "status") != "failed" {
        return None;
    }
    let message = message_ref(&id);
    let digest = message[..32].to_owned();
    let what = NoticeKind::MessageFailed { message, errors: error_codes(status) };
    let caller = Caller { number: text(status, "recipient_id"), user_id: text(status, "recipient_user_id") };
    Some(Notice { caller, digest, ..Notice::of(origin.about(), "message", status, what) })
}

fn read_message(message: &Value, value: &Value, origin: &Origin) -> Option<Notice> {
    let notice = voicemail(message, origin).or_else(|| permission_reply(message, origin));
    let notice = notice.or_else(|| user_changed(message, value, origin))?;
    let caller = Caller { number: text(message, "from"), user_id: text(message, "from_user_id") };
    Some(Notice { caller, ..notice })
}

/// A voicemail is a message with the call's id.
fn voicemail(message: &Value, origin: &Origin) -> Option<Notice> {
    let call = text(message, "id").filter(|id| is_call(id))?;
    let what = NoticeKind::Voicemail(media(Some(message), "audio"));
    Some(Notice::of(origin.call(call), "voicemail", message, what))
}

/// Belongs to a call if it was given after one, in reply to WhatsApp's own question.
fn permission_reply(message: &Value, origin: &Origin) -> Option<Notice> {
    let interactive = message.get("interactive")?;
    if lower(interactive, "type") != "call_permission_reply" {
        return None;
    }
    let reply = interactive.get("call_permission_reply").unwrap_or(&Value::Null);
    let call = message.get("context").and_then(|context| text(context, "id")).filter(|id| is_call(id));
    let what = NoticeKind::PermissionReply {
        is_granted: lower(reply, "response") == "accept",
        is_permanent: reply.get("is_permanent").and_then(Value::as_bool).unwrap_or_default(),
        until: seconds(reply, "expiration_timestamp").or_else(|| seconds(reply, "expiration")),
        is_automatic: lower(reply, "response_source") == "automatic",
    };
    let about = call.map_or_else(|| origin.about(), |call| origin.call(call));
    let notice = Notice::of(about, "call_permission_reply", message, what);
    let notice = match text(message, "id") {
        Some(id) => Notice { digest: digest_of(&id), ..notice },
        None => notice.with_digest(),
    };
    Some(Notice { status: lower(reply, "response"), ..notice })
}

/// Parses a changed user id or number. The names in the sender's contact are theirs as well, and so are those of the only contact beside
/// the only message.
fn user_changed(message: &Value, value: &Value, origin: &Origin) -> Option<Notice> {
    let system = message.get("system").filter(|_| lower(message, "type") == "system")?;
    if !CHANGES.contains(&lower(system, "type").as_str()) {
        return None;
    }
    let sender: Vec<_> = ["from", "from_user_id"].iter().filter_map(|name| text(message, name)).collect();
    let of_sender = |contact: &&Value| {
        ["wa_id", "user_id"].iter().any(|name| text(contact, name).is_some_and(|name| sender.contains(&name)))
    };
    let is_alone = ["contacts", "messages"].iter().all(|name| items(value, name).count() == 1);
    let contacts = items(value, "contacts").filter(|contact| is_alone || of_sender(contact));
    let theirs = contacts.flat_map(|contact| ["wa_id", "user_id"].map(|name| text(contact, name)));
    let mut names: Vec<_> = theirs.flatten().collect();
    collect_names(system, false, &mut names);
    names.retain(|name| !sender.contains(name));
    names.sort();
    names.dedup();
    if names.is_empty() || names.len() + sender.len() < 2 {
        return None;
    }
    let status = lower(system, "type");
    let notice = Notice::of(origin.about(), "user_changed", message, NoticeKind::UserChanged { names });
    Some(Notice { status, ..notice.with_digest() })
}

/// Collects the values of known keys at any depth; `is_named`: `value` is that of a known key.
fn collect_names(value: &Value, is_named: bool, names: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let key = key.as_str();
                collect_names(value, NAMES.contains(&key) || (is_named && WHICH.contains(&key)), names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_names(item, is_named, names)),
        Value::String(name) if is_named && is_name(name) => names.push(name.clone()),
        Value::Number(name) if is_named && is_name(&name.to_string()) => names.push(name.to_string()),
        Value::String(_) | Value::Number(_) | Value::Null | Value::Bool(_) => {}
    }
}

/// Whether a text is a phone number in digits, or a user id: a country's letters, a dot, and more.
fn is_name(text: &str) -> bool {
    let is_number = (6..=15).contains(&text.len()) && text.bytes().all(|letter| letter.is_ascii_digit());
    let is_country = |country: &str| country.len() == 2 && country.bytes().all(|it| it.is_ascii_uppercase());
    is_number || text.split_once('.').is_some_and(|(country, rest)| is_country(country) && rest.len() > 4)
}

fn is_call(id: &str) -> bool {
    id.starts_with("wacid.")
}
