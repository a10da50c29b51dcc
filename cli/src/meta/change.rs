//! One change to what Meta has on file: what it is about, how it was, and how it will be.

use super::{Facts, is_same};
use serde::Serialize;
use serde_json::{Value, json};
use whatsapp::business::CallHours;

/// What a business that takes calls must be told of.
pub const FIELDS: [&str; 4] = ["account_settings_update", "account_update", "calls", "messages"];

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The token's app is told of these fields, at this address.
    App {
        /// The app: its name and id.
        app: String,
        /// As it was.
        before: String,
        /// Where.
        url: String,
        /// What, other fields it had included.
        fields: Vec<String>,
    },
    /// The token's app is told of the account, at the app's address.
    Account {
        /// The app: its name and id.
        app: String,
        /// As it was.
        before: String,
    },
    /// Webhooks of the number go where those of its account go.
    Override {
        /// Where they went.
        before: String,
    },
    /// One of the number's settings for calls.
    Calling {
        /// Which.
        field: Field,
        /// As it was.
        before: String,
        /// As it will be, in Meta's words.
        after: Value,
    },
}

/// A setting of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Whether it takes calls.
    Status,
    /// Whether users see a call button.
    Icon,
    /// Whether users who call are asked whether we may call back.
    Callback,
    /// How media are keyed.
    Keys,
    /// Whether calls go by SIP.
    Sip,
    /// When users can call.
    Hours,
}

/// A change as it is told in JSON.
#[derive(Debug, Serialize)]
pub struct Told {
    what: String,
    before: String,
    after: String,
}

impl Field {
    /// Meta's name for it.
    pub fn key(self) -> &'static str {
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
    /// What makes the app's subscription what it must be; `None` when it is, or nobody says where our webhook is.
    pub fn app(facts: &Facts) -> Option<Self> {
        let (token, subscription) = (facts.token.as_ref().ok()?, facts.subscription.as_ref().ok()?);
        let kept = subscription.as_ref().filter(|it| it.active);
        let url = facts.webhook_url.clone().or_else(|| Some(kept?.callback_url.clone()))?;
        let mut fields: Vec<String> = FIELDS.map(str::to_owned).into();
        fields.extend(subscription.iter().flat_map(|it| it.fields.clone()));
        fields.sort();
        fields.dedup();
        let is_as_wanted = kept.is_some_and(|it| {
            is_same(&it.callback_url, &url) && fields.iter().all(|field| it.fields.contains(field))
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
        let app = named(&token.application, &token.app_id);
        (!is_as_wanted).then_some(Self::App { app, before, url, fields })
    }

    /// What has the app told of the account at its own address; `None` when it is.
    pub fn account(facts: &Facts) -> Option<Self> {
        let (token, _) = (facts.token.as_ref().ok()?, facts.apps.as_ref().ok()?);
        let before = match facts.our_app() {
            None => "not told of it".to_owned(),
            Some(app) => {
                let elsewhere = app.override_url.as_ref();
                elsewhere.filter(|url| !is_ours(facts, url)).map(|url| format!("told at {url}"))?
            }
        };
        Some(Self::Account { app: named(&token.application, &token.app_id), before })
    }

    /// What has webhooks of the number go where all others go; `None` when they do.
    pub fn number(facts: &Facts) -> Option<Self> {
        let elsewhere = facts.number.as_ref().ok()?.webhook_configuration.get("phone_number");
        let elsewhere = elsewhere.filter(|url| !url.is_empty() && !is_ours(facts, url));
        elsewhere.map(|url| Self::Override { before: url.clone() })
    }

    /// What sets one of the number's settings; `None` when it is set like that.
    pub fn calling(facts: &Facts, field: Field, after: Value) -> Option<Self> {
        let before = current(facts, field)?;
        let before_text = text(&before);
        // What no hours look like is Meta's to say.
        let are_off = [&before, &after].into_iter().all(|hours| hours["status"] == "DISABLED");
        let is_same = before == after || (field == Field::Hours && are_off);
        (!is_same).then_some(Self::Calling { field, before: before_text, after })
    }

    /// How a setting is, as text; `None` when it was not seen.
    pub fn now(facts: &Facts, field: Field) -> Option<String> {
        Some(text(&current(facts, field)?))
    }

    /// What it is about.
    pub fn what(&self) -> String {
        match self {
            Self::App { app, .. } => format!("webhooks of the app {app}"),
            Self::Account { app, .. } => format!("the account's webhooks to the app {app}"),
            Self::Override { .. } => "the number's own webhook address".to_owned(),
            Self::Calling { field, .. } => format!("the number's {}", field.key()),
        }
    }

    /// How it was.
    pub fn before(&self) -> &str {
        match self {
            Self::App { before, .. }
            | Self::Account { before, .. }
            | Self::Override { before }
            | Self::Calling { before, .. } => before,
        }
    }

    /// How it will be.
    pub fn after(&self) -> String {
        match self {
            Self::App { url, fields, .. } => format!("{} → {url}", fields.join(", ")),
            Self::Account { .. } => "told at the app's own address".to_owned(),
            Self::Override { .. } => "none".to_owned(),
            Self::Calling { after, .. } => text(after),
        }
    }

    /// As told in JSON.
    pub fn told(&self) -> Told {
        Told { what: self.what(), before: self.before().to_owned(), after: self.after() }
    }

    /// When it must be made among others: Meta enables calling only once somebody is told of calls.
    pub fn rank(&self) -> u8 {
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

/// How a setting is now, in Meta's words; what Meta does not tell is its default.
fn current(facts: &Facts, field: Field) -> Option<Value> {
    let calling = facts.calling.as_ref().ok()?;
    let or = |value: &Option<String>, default: &str| json!(value.as_deref().unwrap_or(default));
    Some(match field {
        Field::Status => or(&calling.status, "DISABLED"),
        Field::Icon => or(&calling.call_icon_visibility, "DEFAULT"),
        Field::Callback => or(&calling.callback_permission_status, "DISABLED"),
        Field::Keys => or(&calling.srtp_key_exchange_protocol, "DTLS"),
        Field::Sip => {
            json!({ "status": calling.sip.as_ref().map_or("DISABLED", |sip| sip.status.as_str()) })
        }
        Field::Hours => hours(calling.call_hours.as_ref()),
    })
}

/// Call hours in Meta's words, in an order of their own: without them, they are off.
pub fn hours(hours: Option<&CallHours>) -> Value {
    let Some(hours) = hours.filter(|hours| hours.status == "ENABLED") else {
        return json!({ "status": "DISABLED" });
    };
    let mut openings = hours.weekly_operating_hours.clone();
    openings.sort();
    // Holidays that are not sent again are deleted.
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
    facts.webhook_url.as_ref().is_some_and(|ours| is_same(ours, url))
}

fn named(name: &str, id: &str) -> String {
    if name.is_empty() { id.to_owned() } else { format!("{name} ({id})") }
}
