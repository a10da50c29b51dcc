//! The secret of the SIP line: OpenAI's webhook secret and the trunk's key, each with the one before it.

use crate::cloud;
use crate::fetched::{FetchError, Fetched};
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use clap::ValueEnum;
use openai_calls::signature;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use std::fmt;

/// A value that is replaced while the old one stays valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rotated {
    WebhookSecret,
    TrunkKey,
}

/// The secret as it is stored. What is not ours stays as it is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct LineSecret(Map<String, Value>);

impl Rotated {
    pub(crate) const ALL: [Self; 2] = [Self::WebhookSecret, Self::TrunkKey];

    /// Returns the name of the value.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::WebhookSecret => "openai_webhook_secret",
            Self::TrunkKey => "sip_trunk_key",
        }
    }

    /// Returns the name of the value before.
    pub(crate) fn old_name(self) -> &'static str {
        match self {
            Self::WebhookSecret => "openai_webhook_secret_old",
            Self::TrunkKey => "sip_trunk_key_old",
        }
    }
}

impl LineSecret {
    /// Fetches the secret; `None` where there is none.
    ///
    /// # Errors
    /// When AWS refuses, or the secret is not a JSON object.
    pub(crate) async fn fetch(id: &str, aws: &SdkConfig) -> Fetched<Option<Self>> {
        if aws.region().is_none() {
            return Err(FetchError::because(cloud::NO_REGION));
        }
        let fetched = match Client::new(aws).get_secret_value().secret_id(id).send().await {
            Ok(fetched) => fetched,
            Err(error) if error.as_service_error().is_some_and(|it| it.is_resource_not_found_exception()) => {
                return Ok(None);
            }
            Err(error) => return Err(cloud::fetch_error(&error.into(), &format!("the secret {id}"))),
        };
        // serde_json's error text could quote the secret.
        let read = fetched.secret_string().and_then(|text| serde_json::from_str(text).ok());
        let malformed = || FetchError::missing(format!("the secret {id} is not a JSON object"));
        read.map(|values| Some(Self(values))).ok_or_else(malformed)
    }

    /// Stores the secret as its new version.
    ///
    /// # Errors
    /// When AWS refuses.
    pub(crate) async fn store(&self, id: &str, aws: &SdkConfig) -> Fetched<()> {
        let text = Value::Object(self.0.clone()).to_string();
        let stored = Client::new(aws).put_secret_value().secret_id(id).secret_string(text).send().await;
        stored.map(drop).map_err(|error| cloud::fetch_error(&error.into(), &format!("the secret {id}")))
    }

    /// Returns the webhook secret, if it is one.
    pub(crate) fn webhook_secret(&self) -> Option<&str> {
        self.get(Rotated::WebhookSecret.name()).filter(|secret| signature::is_secret(secret))
    }

    /// Returns the trunk's key, if there is one.
    pub(crate) fn trunk_key(&self) -> Option<&str> {
        self.get(Rotated::TrunkKey.name())
    }

    /// Whether the old value is still valid beside the current one.
    pub(crate) fn has_old(&self, what: Rotated) -> bool {
        self.get(what.old_name()).is_some()
    }

    /// Puts a new value in. The one before stays valid as the old one.
    pub(crate) fn rotate(&mut self, what: Rotated, new: &SecretString) {
        let before = self.get(what.name()).map(str::to_owned);
        if let Some(before) = before.filter(|before| before != new.expose_secret()) {
            self.0.insert(what.old_name().to_owned(), before.into());
        }
        self.0.insert(what.name().to_owned(), new.expose_secret().into());
    }

    /// Takes an old value out.
    pub(crate) fn forget_old(&mut self, what: Rotated) {
        self.0.remove(what.old_name());
    }

    /// Returns a value that is set.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().map(str::trim).filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for LineSecret {
    /// Leaves out the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
impl LineSecret {
    pub(crate) fn of(values: Value) -> Self {
        Self(serde_json::from_value(values).expect("a test's secret is an object"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_that_is_replaced_stays_valid_as_the_old_one() {
        let mut secret =
            LineSecret::of(json!({"openai_webhook_secret": "whsec_YQ==", "sip_trunk_key": "", "more": 1}));

        secret.rotate(Rotated::WebhookSecret, &"whsec_Yg==".into());
        secret.rotate(Rotated::TrunkKey, &"k".into());

        let wanted = json!({"openai_webhook_secret": "whsec_Yg==", "openai_webhook_secret_old": "whsec_YQ==",
            "sip_trunk_key": "k", "more": 1});
        assert_eq!(secret, LineSecret::of(wanted));
        secret.rotate(Rotated::TrunkKey, &"k".into());
        assert!(!secret.has_old(Rotated::TrunkKey), "it is the same");
    }

    #[test]
    fn an_old_value_is_forgotten_alone() {
        let mut secret = LineSecret::of(json!({"sip_trunk_key": "k", "sip_trunk_key_old": "j", "more": 1}));

        secret.forget_old(Rotated::TrunkKey);

        assert_eq!(secret, LineSecret::of(json!({"sip_trunk_key": "k", "more": 1})));
    }

    #[test]
    fn what_is_no_webhook_secret_is_none() {
        for text in ["", " ", "secret", "whsec_"] {
            assert_eq!(LineSecret::of(json!({"openai_webhook_secret": text})).webhook_secret(), None);
        }
        let secret = LineSecret::of(json!({"openai_webhook_secret": " whsec_YQ== ", "sip_trunk_key": 7}));
        assert_eq!((secret.webhook_secret(), secret.trunk_key()), (Some("whsec_YQ=="), None));
    }

    #[test]
    fn debug_output_shows_no_value() {
        let shown = format!("{:?}", LineSecret::of(json!({"sip_trunk_key": "planted"})));

        assert_eq!(shown, r#"{"sip_trunk_key"}"#);
    }
}
