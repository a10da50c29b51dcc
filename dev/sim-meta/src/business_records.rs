//! Meta's records of the business: its token, app, account and number.
//!
//! Shapes of `debug_token`, nodes and health are Graph's as others report them; settings and rules are those of Meta's pages.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// All of it. The defaults are a business that takes calls.
#[derive(Debug, Clone, PartialEq)]
pub struct BusinessRecords {
    /// The access token.
    pub token: Token,
    /// The app the token belongs to.
    pub app: App,
    /// The WhatsApp Business account.
    pub account: Account,
    /// The business number.
    pub number: Number,
    /// The number's `calling` settings, as `GET settings` shows them.
    pub calling: Value,
    /// The users whom the business may call, by number or id, and for how long.
    pub permits: BTreeMap<String, Permit>,
    /// Whether Graph is rate-limited: 80007 to every question.
    pub is_busy: bool,
}

/// For how long the business may call a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// Until then, seconds since 1970.
    Until(u64),
    /// Until the user takes it back.
    ForGood,
}

/// An access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// `SYSTEM_USER`, or `USER` for a person's, which lives for an hour or sixty days.
    pub kind: String,
    /// Seconds since 1970; 0 is never.
    pub expires_at: u64,
    /// Whether Meta still knows it.
    pub is_valid: bool,
    /// What it may do.
    pub scopes: Vec<String>,
    /// The accounts it may do that with.
    pub accounts: Vec<String>,
}

/// A Meta app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its subscription to WhatsApp accounts, if it has one.
    pub subscription: Option<Subscription>,
}

/// What an app subscribes to, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Where.
    pub callback_url: String,
    /// Whether Meta notifies it.
    pub is_active: bool,
    /// What.
    pub fields: Vec<String>,
}

/// A WhatsApp Business account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: String,
    /// `APPROVED` once Meta has reviewed it.
    pub review: String,
    /// What it pays with, if anything.
    pub funding: Option<String>,
    /// Whether the app is a Solution Provider's: only those are shown what an account pays with.
    pub is_of_provider: bool,
    /// The subscribed apps.
    pub subscribers: Vec<Subscriber>,
}

/// An app subscribed to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscriber {
    /// The app's id.
    pub id: String,
    /// The app's name.
    pub name: String,
    /// Where webhooks of this account go instead of to the app's own address.
    pub override_url: Option<String>,
}

/// A business number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// `CONNECTED` when it can be used.
    pub status: String,
    /// `CLOUD_API`, or another platform, where there are no calls.
    pub platform: String,
    /// `TIER_250`, `TIER_2K`, …: how many users the business may write to.
    pub messaging_limit: String,
    /// Where webhooks of this number go instead of where all others do.
    pub override_url: Option<String>,
}

impl Default for BusinessRecords {
    fn default() -> BusinessRecords {
        let app = ("990000000000009", "Ahoy");
        let account = "110000000000001";
        BusinessRecords {
            token: Token {
                kind: "SYSTEM_USER".to_owned(),
                expires_at: 0,
                is_valid: true,
                scopes: ["whatsapp_business_management", "whatsapp_business_messaging"]
                    .map(str::to_owned)
                    .into(),
                accounts: vec![account.to_owned()],
            },
            app: App { id: app.0.to_owned(), name: app.1.to_owned(), subscription: None },
            account: Account {
                id: account.to_owned(),
                review: "APPROVED".to_owned(),
                funding: Some("660000000000006".to_owned()),
                is_of_provider: false,
                subscribers: vec![Subscriber {
                    id: app.0.to_owned(),
                    name: app.1.to_owned(),
                    override_url: None,
                }],
            },
            number: Number {
                status: "CONNECTED".to_owned(),
                platform: "CLOUD_API".to_owned(),
                messaging_limit: "TIER_2K".to_owned(),
                override_url: None,
            },
            calling: json!({
                "status": "ENABLED",
                "call_icon_visibility": "DEFAULT",
                "callback_permission_status": "ENABLED",
                "srtp_key_exchange_protocol": "DTLS",
                "sip": { "status": "DISABLED" },
            }),
            permits: BTreeMap::new(),
            is_busy: false,
        }
    }
}

impl BusinessRecords {
    /// The app and the address as a business sets them up that did all as it should.
    pub fn subscribe(&mut self, callback_url: &str) {
        let fields =
            ["account_settings_update", "account_update", "calls", "messages"].map(str::to_owned).into();
        let callback_url = callback_url.to_owned();
        self.app.subscription = Some(Subscription { callback_url, is_active: true, fields });
    }

    /// How many users the business may write to; `None`: any number. That a limit that is not set is none yet is a guess.
    pub(crate) fn most_users(&self) -> Option<u64> {
        match self.number.messaging_limit.strip_prefix("TIER_")? {
            "UNLIMITED" => None,
            "NOT_SET" => Some(0),
            tier => {
                let thousands = tier.strip_suffix('K');
                let count: u64 = thousands.unwrap_or(tier).parse().ok()?;
                Some(if thousands.is_some() { count * 1_000 } else { count })
            }
        }
    }

    /// Whether an app receives the calls of this account.
    pub(crate) fn receives_calls(&self) -> bool {
        let wants = |subscription: &Subscription| {
            subscription.is_active && subscription.fields.iter().any(|it| it == "calls")
        };
        let is_ours = |subscriber: &Subscriber| subscriber.id == self.app.id;
        self.app.subscription.as_ref().is_some_and(wants) && self.account.subscribers.iter().any(is_ours)
    }
}
