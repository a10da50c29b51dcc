//! What Meta has on file about a business, as the Graph API tells it: token, app, account, number, settings.
//!
//! Every field may be missing: Meta leaves out what there is none of, and renames things between versions. Sources: Meta's pages on
//! call settings and webhooks; `debug_token` and the nodes as Graph documents them in general.

mod lenient;

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The object that a WhatsApp app subscribes to.
pub const OBJECT: &str = "whatsapp_business_account";

/// What a token is, and what it may do (`debug_token`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Token {
    /// The app it belongs to.
    #[serde(deserialize_with = "lenient::text")]
    pub app_id: String,
    /// `SYSTEM_USER`, `USER`, ….
    #[serde(rename = "type", deserialize_with = "lenient::or_default")]
    pub kind: String,
    /// That app's name.
    #[serde(deserialize_with = "lenient::or_default")]
    pub application: String,
    /// When it ends, seconds since 1970; 0 is never.
    #[serde(deserialize_with = "lenient::or_default")]
    pub expires_at: u64,
    /// When it may no longer see data, seconds since 1970; 0 is never.
    #[serde(deserialize_with = "lenient::or_default")]
    pub data_access_expires_at: u64,
    /// Whether Meta takes it.
    #[serde(deserialize_with = "lenient::or_default")]
    pub is_valid: bool,
    /// Its permissions.
    #[serde(deserialize_with = "lenient::or_default")]
    pub scopes: Vec<String>,
    /// What they hold for.
    #[serde(deserialize_with = "lenient::or_default")]
    pub granular_scopes: Vec<Scope>,
}

/// What a permission holds for. Without targets: for whatever its user may see.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Scope {
    /// The permission.
    #[serde(deserialize_with = "lenient::or_default")]
    pub scope: String,
    /// Ids, of WhatsApp accounts for those that are about them.
    #[serde(deserialize_with = "lenient::or_default")]
    pub target_ids: Vec<String>,
}

impl Token {
    /// The accounts that a permission holds for; none when it says none.
    pub fn accounts(&self, permission: &str) -> Vec<&str> {
        let theirs = self.granular_scopes.iter().filter(|it| it.scope == permission);
        theirs.flat_map(|it| it.target_ids.iter().map(String::as_str)).collect()
    }
}

/// What an app wants to be told of, and where (`subscriptions`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Subscription {
    /// [`OBJECT`] for WhatsApp.
    #[serde(deserialize_with = "lenient::or_default")]
    pub object: String,
    /// Where.
    #[serde(deserialize_with = "lenient::or_default")]
    pub callback_url: String,
    /// Whether Meta tells it.
    #[serde(deserialize_with = "lenient::or_default")]
    pub active: bool,
    /// What.
    #[serde(deserialize_with = "lenient::names")]
    pub fields: Vec<String>,
}

/// An app that is told of an account (`subscribed_apps`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscribedApp {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it is told of this account instead of at its own address.
    pub override_url: Option<String>,
}

/// A WhatsApp Business account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Account {
    /// Its id.
    #[serde(deserialize_with = "lenient::text")]
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// `APPROVED` once Meta has reviewed it.
    pub account_review_status: Option<String>,
    /// What it pays with, as far as Meta tells.
    pub primary_funding_id: Option<String>,
    /// How it fares.
    #[serde(deserialize_with = "lenient::or_default")]
    pub health_status: Health,
}

/// A business number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Number {
    /// Its id.
    #[serde(deserialize_with = "lenient::text")]
    pub id: String,
    /// The number itself, as users see it.
    pub display_phone_number: Option<String>,
    /// The name users see.
    pub verified_name: Option<String>,
    /// `CONNECTED` when it can be used.
    pub status: Option<String>,
    /// `CLOUD_API` where there are calls.
    pub platform_type: Option<String>,
    /// `GREEN`, `YELLOW`, `RED`, `UNKNOWN`.
    pub quality_rating: Option<String>,
    /// How many users the business may write to: `TIER_250`, `TIER_2K`, `TIER_UNLIMITED`, ….
    #[serde(rename = "whatsapp_business_manager_messaging_limit")]
    pub messaging_limit: Option<String>,
    /// Where webhooks go, by level: `phone_number` before `whatsapp_business_account` before `application`.
    #[serde(deserialize_with = "lenient::addresses")]
    pub webhook_configuration: BTreeMap<String, String>,
}

/// How something fares (`health_status`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Health {
    /// What it depends on.
    #[serde(deserialize_with = "lenient::or_default")]
    pub entities: Vec<Entity>,
}

/// One thing that health depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Entity {
    /// `PHONE_NUMBER`, `WABA`, `BUSINESS`, `APP`.
    #[serde(deserialize_with = "lenient::or_default")]
    pub entity_type: String,
    /// What it suffers from.
    #[serde(deserialize_with = "lenient::or_default")]
    pub errors: Vec<HealthError>,
}

/// What an entity suffers from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct HealthError {
    /// Meta's code.
    #[serde(deserialize_with = "lenient::or_default")]
    pub error_code: u32,
    /// Meta's words.
    #[serde(deserialize_with = "lenient::or_default")]
    pub error_description: String,
}

/// How a number takes calls (`settings`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Calling {
    /// `ENABLED` or `DISABLED`.
    pub status: Option<String>,
    /// `DEFAULT`, `DISABLE_ALL`, `HIDE_IN_CHAT`.
    pub call_icon_visibility: Option<String>,
    /// Whether a user who calls is asked whether we may call back.
    pub callback_permission_status: Option<String>,
    /// `DTLS` or `SDES`.
    pub srtp_key_exchange_protocol: Option<String>,
    /// When users can call.
    pub call_hours: Option<CallHours>,
    /// Whether calls go by SIP.
    pub sip: Option<Sip>,
    /// What Meta holds back.
    #[serde(deserialize_with = "lenient::or_default")]
    pub restrictions: Restrictions,
}

/// When users can call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CallHours {
    /// `ENABLED` or `DISABLED`.
    #[serde(deserialize_with = "lenient::or_default")]
    pub status: String,
    /// An IANA time zone.
    pub timezone_id: Option<String>,
    /// At most two a day.
    #[serde(deserialize_with = "lenient::or_default")]
    pub weekly_operating_hours: Vec<Opening>,
    /// Days with other hours, as Meta has them.
    #[serde(deserialize_with = "lenient::or_default")]
    pub holiday_schedule: Vec<Value>,
}

/// A stretch of a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, serde::Serialize)]
#[serde(default)]
pub struct Opening {
    /// `MONDAY`, ….
    #[serde(deserialize_with = "lenient::or_default")]
    pub day_of_week: String,
    /// `0900`.
    #[serde(deserialize_with = "lenient::or_default")]
    pub open_time: String,
    /// `1730`.
    #[serde(deserialize_with = "lenient::or_default")]
    pub close_time: String,
}

/// Whether calls go by SIP.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Sip {
    /// `ENABLED` or `DISABLED`.
    #[serde(deserialize_with = "lenient::or_default")]
    pub status: String,
}

/// What Meta holds back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Restrictions {
    /// Each thing.
    #[serde(deserialize_with = "lenient::or_default")]
    pub restrictions_list: Vec<Restriction>,
}

/// One thing Meta holds back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Restriction {
    /// What: `RESTRICTED_USER_INITIATED_CALLING`, ….
    #[serde(rename = "type", deserialize_with = "lenient::or_default")]
    pub kind: String,
    /// Why.
    pub reason: Option<String>,
    /// Until when: Meta documents neither form nor unit.
    pub expiration: Option<Value>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_token_says_which_accounts_its_permissions_hold_for() {
        let token: Token =
            read(json!({ "app_id": 99, "type": "SYSTEM_USER", "is_valid": true, "scopes": ["a", "b"],
            "granular_scopes": [{ "scope": "a", "target_ids": ["1", "2"] }, { "scope": "b" }], "new": {} }));

        assert_eq!(
            (&token.app_id[..], token.accounts("a"), token.accounts("b")),
            ("99", vec!["1", "2"], vec![])
        );
    }

    #[test]
    fn fields_are_names_with_or_without_a_version() {
        let new: Subscription = read(json!({ "fields": [{ "name": "calls", "version": "v26.0" }] }));
        let old: Subscription = read(json!({ "fields": ["calls"] }));

        assert_eq!((&new.fields[..], new.fields == old.fields), (&["calls".to_owned()][..], true));
    }

    #[test]
    fn what_meta_leaves_out_is_absent() {
        let calling: Calling = read(json!({}));

        assert_eq!(calling, Calling::default());
    }

    #[test]
    fn what_meta_says_is_null_is_absent() {
        let calling: Calling =
            read(json!({ "status": null, "call_icon_visibility": null, "call_hours": null,
            "sip": null, "restrictions": null }));
        let hours: CallHours = read(json!({ "status": "DISABLED", "timezone_id": null,
            "weekly_operating_hours": null, "holiday_schedule": null }));
        let account: Account =
            read(json!({ "id": "1", "name": null, "health_status": { "entities": null } }));
        let number: Number = read(json!({ "id": "1", "webhook_configuration": { "application": "https://a",
            "phone_number": null } }));
        let token: Token =
            read(json!({ "scopes": null, "granular_scopes": [{ "scope": "a", "target_ids": null }] }));

        assert_eq!(calling, Calling::default());
        assert_eq!(hours, CallHours { status: "DISABLED".to_owned(), ..CallHours::default() });
        assert_eq!(account, Account { id: "1".to_owned(), ..Account::default() });
        assert_eq!(number.webhook_configuration.len(), 1);
        assert_eq!(token.accounts("a"), [""; 0]);
    }

    #[test]
    fn null_is_the_default_of_every_field() {
        let nulls = |fields: &[&str]| {
            Value::Object(fields.iter().map(|it| ((*it).to_owned(), Value::Null)).collect())
        };
        let token = ["app_id", "type", "application", "expires_at", "data_access_expires_at", "is_valid"];

        assert_eq!(read::<Token>(nulls(&token)), Token::default());
        assert_eq!(read::<Scope>(nulls(&["scope", "target_ids"])), Scope::default());
        let subscription = nulls(&["object", "callback_url", "active", "fields"]);
        assert_eq!(read::<Subscription>(subscription), Subscription::default());
        assert_eq!(read::<Account>(nulls(&["id", "health_status"])), Account::default());
        assert_eq!(read::<Number>(nulls(&["id", "webhook_configuration"])), Number::default());
        assert_eq!(read::<Entity>(nulls(&["entity_type", "errors"])), Entity::default());
        assert_eq!(read::<HealthError>(nulls(&["error_code", "error_description"])), HealthError::default());
        assert_eq!(read::<CallHours>(nulls(&["status"])), CallHours::default());
        assert_eq!(read::<Opening>(nulls(&["day_of_week", "open_time", "close_time"])), Opening::default());
        assert_eq!(read::<Sip>(nulls(&["status"])), Sip::default());
        assert_eq!(read::<Restriction>(nulls(&["type", "reason"])), Restriction::default());
    }

    fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
        serde_json::from_value(value).unwrap()
    }
}
