//! One change to a business's settings at Meta: what it changes, the value before and the value after.

use super::{Facts, is_same_url};
use serde::Serialize;
use serde_json::{Value, json};
use whatsapp::business::CallHours;

/// The webhook fields that ahoy needs.
pub(crate) const FIELDS: [&str; 4] = ["account_settings_update", "account_update", "calls", "messages"];

/// A change to a setting at Meta.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// Subscribes the token's app to webhook fields, at a callback URL.
    App {
        /// The app's name and id.
        app: String,
        before: String,
        /// The callback URL.
        url: String,
        /// All fields, those that the app had before included.
        fields: Vec<String>,
    },
    /// Subscribes the token's app to the account, at the app's callback URL.
    Account {
        /// The app's name and id.
        app: String,
        before: String,
    },
    /// Removes the number's override of the callback URL.
    Override {
        /// The override's URL.
        before: String,
    },
    /// Sets one of the number's calling settings.
    Calling {
        field: Field,
        before: String,
        /// The new value, as Meta's API takes it.
        after: Value,
    },
}

/// A calling setting of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    /// Whether calling is enabled.
    Status,
    /// Whether users see a call button.
    Icon,
    /// Whether users who call are asked whether we may call back.
    Callback,
    /// How SRTP keys are exchanged: DTLS or SDES.
    Keys,
    /// Whether calls are signalled by SIP.
    Sip,
    /// When users can call.
    Hours,
}

/// A change in JSON output.
#[derive(Debug, Serialize)]
pub(crate) struct ChangeReport {
    what: String,
    before: String,
    after: String,
}

impl Field {
    /// Returns the setting's key in Meta's API.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Icon => "call_icon_visibility",
            Self::Callback => "callback_permission_status",
            Self::Keys => "srtp_key_exchange_protocol",
            Self::Sip => "sip",
            Self::Hours => "call_hours",
        }
    }
}

impl Change {
    /// Returns the change that subscribes the app as needed; `None` when it is, or when the webhook's address is unknown.
    pub(crate) fn app(facts: &Facts) -> Option<Self> {
        let (token, subscription) = (facts.token.as_ref().ok()?, facts.subscription.as_ref().ok()?);
        let kept = subscription.as_ref().filter(|it| it.active);
        let url = facts.webhook_url.clone().or_else(|| Some(kept?.callback_url.clone()))?;
        let mut fields: Vec<String> = FIELDS.map(str::to_owned).into();
        fields.extend(subscription.iter().flat_map(|it| it.fields.clone()));
        fields.sort();
        fields.dedup();
        let is_subscribed = kept.is_some_and(|it| {
            is_same_url(&it.callback_url, &url) && fields.iter().all(|field| it.fields.contains(field))
        });
        let before = subscription.as_ref().map_or_else(
            || "not subscribed".to_owned(),
            |it| {
                format!(
                    "{}{} → {}",
                    if it.active { "" } else { "inactive: " },
                    it.fields.join(", "),
                    it.callback_url
                )
            },
        );
        let app = name_and_id(&token.application, &token.app_id);
        (!is_subscribed).then_some(Self::App { app, before, url, fields })
    }

    /// Returns the change that subscribes the app to the account at the app's own URL; `None` when it is.
    pub(crate) fn account(facts: &Facts) -> Option<Self> {
        let (token, _) = (facts.token.as_ref().ok()?, facts.apps.as_ref().ok()?);
        let before = match facts.our_app() {
            None => "not subscribed".to_owned(),
            Some(app) => {
                let override_url = app.override_url.as_ref();
                override_url
                    .filter(|url| !is_ours(facts, url))
                    .map(|url| format!("subscribed, webhooks to {url}"))?
            }
        };
        Some(Self::Account { app: name_and_id(&token.application, &token.app_id), before })
    }

    /// Returns the change that removes the number's callback override; `None` when it has none, or it is the deployment's webhook.
    pub(crate) fn number(facts: &Facts) -> Option<Self> {
        let override_url = facts.number.as_ref().ok()?.webhook_configuration.get("phone_number");
        let override_url = override_url.filter(|url| !url.is_empty() && !is_ours(facts, url));
        override_url.map(|url| Self::Override { before: url.clone() })
    }

    /// Returns the change that sets a calling setting to `after`; `None` when it has that value or could not be fetched.
    pub(crate) fn calling(facts: &Facts, field: Field, after: Value) -> Option<Self> {
        let before = current(facts, field)?;
        let before_text = text(&before);
        // While call hours are off, Meta decides what else they hold.
        let are_off = [&before, &after].into_iter().all(|hours| hours["status"] == "DISABLED");
        let is_equal = before == after || (field == Field::Hours && are_off);
        (!is_equal).then_some(Self::Calling { field, before: before_text, after })
    }

    /// Returns a setting's current value as text; `None` when it could not be fetched.
    pub(crate) fn current_text(facts: &Facts, field: Field) -> Option<String> {
        Some(text(&current(facts, field)?))
    }

    /// Names the setting that changes.
    pub(crate) fn what(&self) -> String {
        match self {
            Self::App { app, .. } => format!("webhooks of the app {app}"),
            Self::Account { app, .. } => format!("the account's webhooks to the app {app}"),
            Self::Override { .. } => "the number's own webhook address".to_owned(),
            Self::Calling { field, .. } => format!("the number's {}", field.key()),
        }
    }

    /// Returns the value before.
    pub(crate) fn before(&self) -> &str {
        match self {
            Self::App { before, .. }
            | Self::Account { before, .. }
            | Self::Override { before }
            | Self::Calling { before, .. } => before,
        }
    }

    /// Returns the value after.
    pub(crate) fn after(&self) -> String {
        match self {
            Self::App { url, fields, .. } => format!("{} → {url}", fields.join(", ")),
            Self::Account { .. } => "subscribed, webhooks to the app's address".to_owned(),
            Self::Override { .. } => "none".to_owned(),
            Self::Calling { after, .. } => text(after),
        }
    }

    /// Returns the change for JSON output.
    pub(crate) fn report(&self) -> ChangeReport {
        ChangeReport { what: self.what(), before: self.before().to_owned(), after: self.after() }
    }

    /// Orders changes: Meta enables calling only once an app is subscribed to calls.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::App { .. } => 0,
            Self::Account { .. } => 1,
            Self::Override { .. } => 2,
            Self::Calling {
                field: Field::Icon | Field::Callback | Field::Keys | Field::Sip | Field::Hours,
                ..
            } => 3,
            Self::Calling { field: Field::Status, .. } => 4,
        }
    }
}

/// Returns a setting's current value as Meta's API writes it; a setting that Meta omits has its default.
fn current(facts: &Facts, field: Field) -> Option<Value> {
    let calling = facts.calling.as_ref().ok()?;
    let or_default = |value: &Option<String>, default: &str| json!(value.as_deref().unwrap_or(default));
    Some(match field {
        Field::Status => or_default(&calling.status, "DISABLED"),
        Field::Icon => or_default(&calling.call_icon_visibility, "DEFAULT"),
        Field::Callback => or_default(&calling.callback_permission_status, "DISABLED"),
        Field::Keys => or_default(&calling.srtp_key_exchange_protocol, "DTLS"),
        Field::Sip => {
            json!({ "status": calling.sip.as_ref().map_or("DISABLED", |sip| sip.status.as_str()) })
        }
        Field::Hours => hours(calling.call_hours.as_ref()),
    })
}

/// Returns call hours as Meta's API writes them, sorted so that equal hours compare equal; `None` means off.
pub(crate) fn hours(hours: Option<&CallHours>) -> Value {
    let Some(hours) = hours.filter(|hours| hours.status == "ENABLED") else {
        return json!({ "status": "DISABLED" });
    };
    let mut openings = hours.weekly_operating_hours.clone();
    openings.sort();
    // Meta deletes holidays that a change does not repeat.
    json!({ "status": "ENABLED", "timezone_id": hours.timezone_id,
        "weekly_operating_hours": openings, "holiday_schedule": hours.holiday_schedule })
}

fn text(value: &Value) -> String {
    match (value.as_str(), value["weekly_operating_hours"].as_array(), value["status"].as_str()) {
        (Some(text), _, _) => text.to_owned(),
        (None, _, Some("DISABLED")) => "DISABLED".to_owned(),
        (None, Some(openings), _) => {
            let part = |opening: &Value, key: &str| opening[key].as_str().unwrap_or("?").to_owned();
            let opening = |it: &Value| {
                let (day, from, to) =
                    (part(it, "day_of_week"), part(it, "open_time"), part(it, "close_time"));
                format!("{} {from}-{to}", day.chars().take(3).collect::<String>().to_lowercase())
            };
            let openings: Vec<_> = openings.iter().map(opening).collect();
            format!("{} ({})", openings.join(", "), part(value, "timezone_id"))
        }
        (None, None, Some(status)) => status.to_owned(),
        (None, None, None) => value.to_string(),
    }
}

fn is_ours(facts: &Facts, url: &str) -> bool {
    facts.webhook_url.as_ref().is_some_and(|ours| is_same_url(ours, url))
}

fn name_and_id(name: &str, id: &str) -> String {
    if name.is_empty() { id.to_owned() } else { format!("{name} ({id})") }
}
