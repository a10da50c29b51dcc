//! What the Graph API returns about a business: token, app subscription, account, number and call settings.
//!
//! Every field may be missing: Meta leaves out empty ones, and renames fields between versions. Sources: Meta's pages on call settings and
//! webhooks; `debug_token` and the nodes as Graph documents them in general.

mod lenient;

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The object type that a WhatsApp app subscribes to.
pub const OBJECT: &str = "whatsapp_business_account";

/// An access token's properties and permissions (`debug_token`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Token {
    /// The id of the app it belongs to.
    #[serde(deserialize_with = "lenient::text")]
    pub app_id: String,
    /// `SYSTEM_USER`, `USER`, ….
    #[serde(rename = "type", deserialize_with = "lenient::or_default")]
    pub kind: String,
    /// The name of that app.
    #[serde(deserialize_with = "lenient::or_default")]
    pub application: String,
    /// When it expires, seconds since 1970; 0 is never.
    #[serde(deserialize_with = "lenient::or_default")]
    pub expires_at: u64,
    /// When it loses access to data, seconds since 1970; 0 is never.
    #[serde(deserialize_with = "lenient::or_default")]
    pub data_access_expires_at: u64,
    /// Whether Meta accepts the token.
    #[serde(deserialize_with = "lenient::or_default")]
    pub is_valid: bool,
    /// The names of its permissions.
    #[serde(deserialize_with = "lenient::or_default")]
    pub scopes: Vec<String>,
    /// The objects that its permissions apply to.
    #[serde(deserialize_with = "lenient::or_default")]
    pub granular_scopes: Vec<Scope>,
}

/// The objects that a permission applies to; without targets, all that its user may see.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Scope {
    /// The permission's name.
    #[serde(deserialize_with = "lenient::or_default")]
    pub scope: String,
    /// Ids of WhatsApp accounts, for permissions about accounts.
    #[serde(deserialize_with = "lenient::or_default")]
    pub target_ids: Vec<String>,
}

impl Token {
    /// Returns the accounts that a permission is limited to; empty when it is not limited.
    pub fn accounts(&self, permission: &str) -> Vec<&str> {
        let theirs = self.granular_scopes.iter().filter(|it| it.scope == permission);
        theirs.flat_map(|it| it.target_ids.iter().map(String::as_str)).collect()
    }
}

/// An app's webhook subscription (`subscriptions`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Subscription {
    /// The object type, [`OBJECT`] for WhatsApp.
    #[serde(deserialize_with = "lenient::or_default")]
    pub object: String,
    /// The address that webhooks go to.
    #[serde(deserialize_with = "lenient::or_default")]
    pub callback_url: String,
    /// Whether Meta sends webhooks.
    #[serde(deserialize_with = "lenient::or_default")]
    pub active: bool,
    /// The subscribed webhook fields.
    #[serde(deserialize_with = "lenient::names")]
    pub fields: Vec<String>,
}

/// An app subscribed to an account's webhooks (`subscribed_apps`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscribedApp {
    /// The app's id.
    pub id: String,
    /// The app's name.
    pub name: String,
    /// The address for this account's webhooks, if it overrides the app's own.
    pub override_url: Option<String>,
}

/// A WhatsApp Business account (WABA).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Account {
    /// The account's id.
    #[serde(deserialize_with = "lenient::text")]
    pub id: String,
    /// The account's name.
    pub name: Option<String>,
    /// `APPROVED` once Meta has reviewed it.
    pub account_review_status: Option<String>,
    /// The id of its payment method, where Meta returns it.
    pub primary_funding_id: Option<String>,
    /// Whether it can be used, and why not.
    #[serde(deserialize_with = "lenient::or_default")]
    pub health_status: Health,
}

/// A business phone number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Number {
    /// The number's id.
    #[serde(deserialize_with = "lenient::text")]
    pub id: String,
    /// The phone number as users see it.
    pub display_phone_number: Option<String>,
    /// The business name that users see.
    pub verified_name: Option<String>,
    /// `CONNECTED` when it can be used.
    pub status: Option<String>,
    /// `CLOUD_API` for numbers that can take calls.
    pub platform_type: Option<String>,
    /// `GREEN`, `YELLOW`, `RED`, `UNKNOWN`.
    pub quality_rating: Option<String>,
    /// How many users the business may message: `TIER_250`, `TIER_2K`, `TIER_UNLIMITED`, ….
    #[serde(rename = "whatsapp_business_manager_messaging_limit")]
    pub messaging_limit: Option<String>,
    /// The webhook addresses by level: `phone_number` overrides `whatsapp_business_account`, which overrides `application`.
    #[serde(deserialize_with = "lenient::addresses")]
    pub webhook_configuration: BTreeMap<String, String>,
}

/// The health of an account or number (`health_status`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Health {
    /// The entities that it depends on.
    #[serde(deserialize_with = "lenient::or_default")]
    pub entities: Vec<Entity>,
}

/// An entity that health depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Entity {
    /// `PHONE_NUMBER`, `WABA`, `BUSINESS`, `APP`.
    #[serde(deserialize_with = "lenient::or_default")]
    pub entity_type: String,
    /// The errors of this entity.
    #[serde(deserialize_with = "lenient::or_default")]
    pub errors: Vec<HealthError>,
}

/// An error of an entity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct HealthError {
    /// Meta's error code.
    #[serde(deserialize_with = "lenient::or_default")]
    pub error_code: u32,
    /// Meta's description of the error.
    #[serde(deserialize_with = "lenient::or_default")]
    pub error_description: String,
}

/// A number's call settings (`settings`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Calling {
    /// `ENABLED` or `DISABLED`.
    pub status: Option<String>,
    /// `DEFAULT`, `DISABLE_ALL`, `HIDE_IN_CHAT`.
    pub call_icon_visibility: Option<String>,
    /// Whether a user who calls is asked for permission to be called back.
    pub callback_permission_status: Option<String>,
    /// `DTLS` or `SDES`.
    pub srtp_key_exchange_protocol: Option<String>,
    /// The hours in which users can call.
    pub call_hours: Option<CallHours>,
    /// Whether calls go to a SIP server.
    pub sip: Option<Sip>,
    /// Restrictions that Meta has imposed.
    #[serde(deserialize_with = "lenient::or_default")]
    pub restrictions: Restrictions,
}

/// The hours in which users can call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CallHours {
    /// `ENABLED` or `DISABLED`.
    #[serde(deserialize_with = "lenient::or_default")]
    pub status: String,
    /// An IANA time zone.
    pub timezone_id: Option<String>,
    /// The weekly hours, at most two stretches a day.
    #[serde(deserialize_with = "lenient::or_default")]
    pub weekly_operating_hours: Vec<Opening>,
    /// Days with other hours, as Meta returns them.
    #[serde(deserialize_with = "lenient::or_default")]
    pub holiday_schedule: Vec<Value>,
}

/// A stretch of open hours on one day.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, serde::Serialize)]
#[serde(default)]
pub struct Opening {
    /// `MONDAY`, ….
    #[serde(deserialize_with = "lenient::or_default")]
    pub day_of_week: String,
    /// The opening time: `0900`.
    #[serde(deserialize_with = "lenient::or_default")]
    pub open_time: String,
    /// The closing time: `1730`.
    #[serde(deserialize_with = "lenient::or_default")]
    pub close_time: String,
}

/// Whether calls go to a SIP server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Sip {
    /// `ENABLED` or `DISABLED`.
    #[serde(deserialize_with = "lenient::or_default")]
    pub status: String,
}

/// Restrictions that Meta has imposed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Restrictions {
    /// The restrictions, one by one.
    #[serde(deserialize_with = "lenient::or_default")]
    pub restrictions_list: Vec<Restriction>,
}

/// A restriction that Meta has imposed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Restriction {
    /// The kind: `RESTRICTED_USER_INITIATED_CALLING`, ….
    #[serde(rename = "type", deserialize_with = "lenient::or_default")]
    pub kind: String,
    /// Meta's reason for the restriction.
    pub reason: Option<String>,
    /// When it ends; Meta documents neither form nor unit.
    pub expiration: Option<Value>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_the_accounts_of_a_tokens_permissions() {
        let token: Token =
            read(json!({ "app_id": 99, "type": "SYSTEM_USER", "is_valid": true, "scopes": ["a", "b"],
            "granular_scopes": [{ "scope": "a", "target_ids": ["1", "2"] }, { "scope": "b" }], "new": {} }));

        assert_eq!(
            (&token.app_id[..], token.accounts("a"), token.accounts("b")),
            ("99", vec!["1", "2"], vec![])
        );
    }

    #[test]
    fn reads_fields_with_or_without_a_version() {
        let new: Subscription = read(json!({ "fields": [{ "name": "calls", "version": "v26.0" }] }));
        let old: Subscription = read(json!({ "fields": ["calls"] }));

        assert_eq!((&new.fields[..], new.fields == old.fields), (&["calls".to_owned()][..], true));
    }

    #[test]
    fn omitted_fields_are_absent() {
        let calling: Calling = read(json!({}));

        assert_eq!(calling, Calling::default());
    }

    #[test]
    fn null_fields_are_absent() {
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
