//! Reads a webhook: every item of every array, each on its own.
//!
//! Meta batches, adds fields without notice and leaves out any that can be personal. So next to nothing here is
//! required, and an item that cannot be read never costs another one: it becomes a notice that says so.

mod account;
mod calls;
mod json;
mod kind;
mod messages;
#[cfg(test)]
mod tests;

pub use kind::{Media, NoticeKind, Restriction};

use json::{items, lower, seconds, text};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What one webhook tells us.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Batch {
    /// Each thing, in the order of the body.
    pub notices: Vec<Notice>,
    /// So many items were about chats, which are none of our business: counted, not read.
    pub chats: usize,
}

/// One thing that Meta tells us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// What it is about.
    pub about: NoticeSubject,
    /// Meta's name of the event, in lower case.
    pub event: String,
    /// Meta's name of the status, in lower case; empty when there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub status: String,
    /// When Meta says it happened, seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stamped_at: Option<u64>,
    /// Who calls, or is called.
    #[serde(skip_serializing_if = "Caller::is_nobody")]
    pub caller: Caller,
    /// What it means.
    pub what: NoticeKind,
    /// Tells it from others of its event and status about the same call or number: a hash; empty for what happens
    /// to a call once.
    #[serde(skip)]
    pub mark: String,
    /// The item, as JSON. It may name people: never log it.
    #[serde(skip)]
    pub item: String,
}

/// What a notice is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeSubject {
    /// A call.
    Call {
        /// Meta's call id. It holds phone numbers: never log it.
        id: String,
        /// The id of the business number, where Meta says it.
        #[serde(skip_serializing_if = "Option::is_none")]
        number: Option<String>,
    },
    /// A business number, by its id.
    Number(String),
    /// A WhatsApp business account, by its id; empty when Meta does not say which.
    Account(String),
}

/// The person on WhatsApp. Either may be missing: people can hide their number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Caller {
    /// Phone number, digits only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Business-scoped user id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}

impl Caller {
    fn is_nobody(&self) -> bool {
        *self == Self::default()
    }
}

/// Reads a webhook's body.
///
/// # Errors
/// When the body is not JSON.
pub fn read(body: &[u8]) -> Result<Batch, serde_json::Error> {
    let body = json::parse(body)?;
    let mut batch = Batch::default();
    if items(&body, "entry").next().is_none() {
        batch.notices.push(Notice::unreadable("entry", &body, &Place::default()));
    }
    for entry in items(&body, "entry") {
        let account = text(entry, "id").unwrap_or_default();
        if items(entry, "changes").next().is_none() {
            let place = Place { account: account.clone(), ..Place::default() };
            batch.notices.push(Notice::unreadable("changes", entry, &place));
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
    let place = Place { account: account.to_owned(), number };
    match lower(change, "field").as_str() {
        "calls" => calls::read(value, &place, batch),
        "messages" => messages::read(value, &place, batch),
        "account_update" => batch.notices.push(account::read_update(value, &place)),
        "account_settings_update" => batch.notices.push(account::read_settings(value, &place)),
        "" if value.get("calls").is_some() => calls::read(value, &place, batch),
        "" => batch.notices.push(Notice::unreadable("change", change, &place)),
        field => batch.notices.push(unknown_field(field, value, &place)),
    }
}

/// A field that we do not know may hold anything, other people's chats too: its content is not kept.
fn unknown_field(field: &str, value: &Value, place: &Place) -> Notice {
    let bytes = value.to_string().len();
    let notice = Notice::of(place.about(), field, value, NoticeKind::UnknownField { bytes }).marked();
    Notice { status: lower(value, "event"), item: String::new(), ..notice }
}

/// Whose value is being read.
#[derive(Debug, Default)]
struct Place {
    account: String,
    number: Option<String>,
}

impl Place {
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
    /// Meta's call id, if it is about a call.
    pub fn call_id(&self) -> Option<&str> {
        match &self.about {
            NoticeSubject::Call { id, .. } => Some(id),
            NoticeSubject::Number(_) | NoticeSubject::Account(_) => None,
        }
    }

    /// The id of the business number it is about, where Meta says it.
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
            what,
            mark: String::new(),
            item: item.to_string(),
        }
    }

    fn unreadable(part: &str, item: &Value, place: &Place) -> Self {
        Self::of(place.about(), part, item, NoticeKind::Unreadable).marked()
    }

    /// Meta may send the same thing again with its keys in another order: that does not change the mark.
    fn marked(mut self) -> Self {
        let mut item: Value = serde_json::from_str(&self.item).expect("it was written from a value");
        item.sort_all_objects();
        self.mark = mark_of(&item.to_string());
        self
    }
}

fn mark_of(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..16])
}
