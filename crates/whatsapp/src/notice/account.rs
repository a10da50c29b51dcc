//! Parses the webhook fields `account_update` and `account_settings_update`.

use super::json::{items, lower, text};
use super::{Notice, NoticeKind, NoticeSubject, Origin, Restriction};
use serde_json::Value;

/// Parses the value of an `account_update`.
pub(super) fn read_update(value: &Value, origin: &Origin) -> Notice {
    let event = lower(value, "event");
    let what = match event.as_str() {
        "account_violation" => {
            NoticeKind::Violation { kind: part(value, "violation_info", "violation_type") }
        }
        "account_restriction" => {
            NoticeKind::Restricted(items(value, "restriction_info").map(restriction).collect())
        }
        "" => NoticeKind::Unreadable,
        _ => NoticeKind::AccountChanged,
    };
    Notice { status: event, ..Notice::of(origin.about(), "account_update", value, what).with_digest() }
}

/// Parses the value of an `account_settings_update`, which names its number inside.
pub(super) fn read_settings(value: &Value, origin: &Origin) -> Notice {
    let kind = lower(value, "type");
    let settings = value.get("phone_number_settings").unwrap_or(&Value::Null);
    let number = text(settings, "phone_number_id");
    let about = number.map_or_else(|| origin.about(), NoticeSubject::Number);
    let what = match settings.get("calling") {
        Some(calling @ Value::Object(_)) => NoticeKind::Settings {
            calling: lower(calling, "status"),
            call_icon: lower(calling, "call_icon_visibility"),
            callback: lower(calling, "callback_permission_status"),
            sip: part(calling, "sip", "status"),
            key_exchange: lower(calling, "srtp_key_exchange_protocol"),
        },
        // Meta writes null for empty settings.
        Some(Value::Null) => NoticeKind::Settings {
            calling: String::new(),
            call_icon: String::new(),
            callback: String::new(),
            sip: String::new(),
            key_exchange: String::new(),
        },
        _ if kind.is_empty() => NoticeKind::Unreadable,
        _ => NoticeKind::AccountChanged,
    };
    Notice { status: kind, ..Notice::of(about, "account_settings_update", value, what).with_digest() }
}

fn restriction(info: &Value) -> Restriction {
    Restriction { kind: lower(info, "restriction_type"), until: text(info, "expiration").unwrap_or_default() }
}

fn part(holder: &Value, name: &str, part: &str) -> String {
    holder.get(name).map(|inner| lower(inner, part)).unwrap_or_default()
}
