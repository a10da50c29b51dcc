//! Parses a webhook into notices, each item of each array on its own.
//!
//! Meta batches, adds fields without notice and leaves out any that can be personal. So hardly any field is required, and an unreadable
//! item never costs another one: it becomes a notice that says so.

mod account;
mod calls;
mod details;
mod json;
mod kind;
mod media;
mod messages;
#[cfg(test)]
mod tests;

pub use details::ConnectDetails;
pub use kind::{Media, NoticeKind, Restriction};

use json::{items, lower, seconds, text};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The notices of one webhook.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Batch {
    /// The notices, in the order of the body.
    pub notices: Vec<Notice>,
    /// The number of items about chats, which are counted but not read.
    pub chats: usize,
}

/// One event that Meta reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// The call, number or account it is about.
    pub about: NoticeSubject,
    /// Meta's name of the event, in lower case.
    pub event: String,
    /// Meta's name of the status, in lower case; empty without one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub status: String,
    /// Meta's timestamp of the event, seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stamped_at: Option<u64>,
    /// The person who calls or is called.
    #[serde(skip_serializing_if = "Caller::is_unknown")]
    pub caller: Caller,
    /// What a `connect` says of the caller besides.
    #[serde(skip_serializing_if = "ConnectDetails::is_empty")]
    pub details: ConnectDetails,
    /// The meaning of the event.
    pub what: NoticeKind,
    /// A hash that distinguishes notices of the same event, status and subject; empty for what happens to a call once.
    #[serde(skip)]
    pub digest: String,
    /// The item as JSON. It may name people: never log it.
    #[serde(skip)]
    pub item: String,
}

/// The subject of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeSubject {
    /// A call, by Meta's id.
    Call {
        /// Meta's id of the call, which holds phone numbers: never log it.
        id: String,
        /// The id of the business number, where Meta gives it.
        #[serde(skip_serializing_if = "Option::is_none")]
        number: Option<String>,
    },
    /// A business number, by its id.
    Number(String),
    /// A WhatsApp business account, by its id; empty when Meta does not give it.
    Account(String),
}

/// A person on WhatsApp. Either name may be missing: people can hide their number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Caller {
    /// The phone number, digits only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// The business-scoped user id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}

impl Caller {
    fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

/// Parses a webhook's body.
///
/// # Errors
/// When the body is not JSON.
pub fn read(body: &[u8]) -> Result<Batch, serde_json::Error> {
    let body = json::parse(body)?;
    let mut batch = Batch::default();
    if items(&body, "entry").next().is_none() {
        batch.notices.push(Notice::unreadable("entry", &body, &Origin::default()));
    }
    for entry in items(&body, "entry") {
        let account = text(entry, "id").unwrap_or_default();
        if items(entry, "changes").next().is_none() {
            let origin = Origin { account: account.clone(), ..Origin::default() };
            batch.notices.push(Notice::unreadable("changes", entry, &origin));
        }
        for change in items(entry, "changes") {
            read_change(change, &account, &mut batch);
        }
    }
    Ok(batch)
}

fn read_change(change: &Value, account: &str, batch: &mut Batch) {
    let value = change.get("value").unwrap_or(&Value::Null);
    let number = value.get("metadata").and_then(|metadata| text(metadata, "phone_number_id"));
    let origin = Origin { account: account.to_owned(), number };
    match lower(change, "field").as_str() {
        "calls" => calls::read(value, &origin, batch),
        "messages" => messages::read(value, &origin, batch),
        "account_update" => batch.notices.push(account::read_update(value, &origin)),
        "account_settings_update" => batch.notices.push(account::read_settings(value, &origin)),
        "" if value.get("calls").is_some() => calls::read(value, &origin, batch),
        "" => batch.notices.push(Notice::unreadable("change", change, &origin)),
        field => batch.notices.push(unknown_field(field, value, &origin)),
    }
}

/// Keeps nothing of the content of an unknown field: it may hold anything, other people's chats too.
fn unknown_field(field: &str, value: &Value, origin: &Origin) -> Notice {
    let bytes = value.to_string().len();
    let notice = Notice::of(origin.about(), field, value, NoticeKind::UnknownField { bytes }).with_digest();
    Notice { status: lower(value, "event"), item: String::new(), ..notice }
}

/// The account and number that a value is about.
#[derive(Debug, Default)]
struct Origin {
    account: String,
    number: Option<String>,
}

impl Origin {
    fn about(&self) -> NoticeSubject {
        match &self.number {
            Some(number) => NoticeSubject::Number(number.clone()),
            None => NoticeSubject::Account(self.account.clone()),
        }
    }

    fn call(&self, id: String) -> NoticeSubject {
        NoticeSubject::Call { id, number: self.number.clone() }
    }
}

impl Notice {
    /// Returns Meta's id of the call, if the notice is about one.
    pub fn call_id(&self) -> Option<&str> {
        match &self.about {
            NoticeSubject::Call { id, .. } => Some(id),
            NoticeSubject::Number(_) | NoticeSubject::Account(_) => None,
        }
    }

    /// Returns the id of the business number, where Meta gives it.
    pub fn number(&self) -> Option<&str> {
        match &self.about {
            NoticeSubject::Call { number, .. } => number.as_deref(),
            NoticeSubject::Number(number) => Some(number),
            NoticeSubject::Account(_) => None,
        }
    }

    fn of(about: NoticeSubject, event: &str, item: &Value, what: NoticeKind) -> Self {
        Self {
            about,
            event: event.to_owned(),
            status: lower(item, "status"),
            stamped_at: seconds(item, "timestamp"),
            caller: Caller::default(),
            details: ConnectDetails::default(),
            what,
            digest: String::new(),
            item: item.to_string(),
        }
    }

    fn unreadable(part: &str, item: &Value, origin: &Origin) -> Self {
        Self::of(origin.about(), part, item, NoticeKind::Unreadable).with_digest()
    }

    /// Sets the digest, independent of the order of keys, which may change in a redelivery.
    fn with_digest(mut self) -> Self {
        let mut item: Value = serde_json::from_str(&self.item).expect("it was written from a value");
        item.sort_all_objects();
        self.digest = digest_of(&item.to_string());
        self
    }
}

fn digest_of(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..16])
}
