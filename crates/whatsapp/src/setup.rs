//! The Graph API's requests that inspect a business and set it up for calls.
//!
//! An app's subscription is read and changed with the app's own token, `<app id>|<app secret>`; everything else with the business's.

use crate::business::{Account, Calling, Number, OBJECT, SubscribedApp, Subscription, Token};
use crate::{Graph, GraphError};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The fields of a number that set-up reads.
const OF_A_NUMBER: &str = "id,display_phone_number,verified_name,status,platform_type,quality_rating,\
                           whatsapp_business_manager_messaging_limit,webhook_configuration";

/// The fields of an account that set-up reads.
const OF_AN_ACCOUNT: &str = "id,name,account_review_status,health_status";

/// An account's payment method. Meta shows it to Solution Providers only, and refuses any other request that asks for it.
const FUNDING: &str = "primary_funding_id";

/// An app with its secret.
#[derive(Debug, Clone)]
pub struct App {
    /// The app's id.
    pub id: String,
    /// The app's secret.
    pub secret: SecretString,
}

impl App {
    fn token(&self) -> SecretString {
        SecretString::from(format!("{}|{}", self.id, self.secret.expose_secret()))
    }
}

impl Graph {
    /// Returns the properties and permissions of our token.
    ///
    /// # Errors
    /// Meta's error: code 190 when it no longer accepts the token.
    pub async fn token(&self) -> Result<Token, GraphError> {
        let own = [("input_token", self.token.expose_secret())];
        let reply = self.get("debug_token", &own, &self.token).await?;
        read(&reply["data"])
    }

    /// Returns the app's subscription to WhatsApp accounts, if it has one.
    ///
    /// # Errors
    /// Meta's error: code 190 when the app secret is wrong.
    pub async fn subscription(&self, app: &App) -> Result<Option<Subscription>, GraphError> {
        let reply = self.get(&format!("{}/subscriptions", app.id), &[], &app.token()).await?;
        let all: Vec<Subscription> = read(&reply["data"])?;
        Ok(all.into_iter().find(|it| it.object == OBJECT))
    }

    /// Subscribes the app to these fields at this address, to which Meta sends its challenge first.
    ///
    /// # Errors
    /// Meta's error, or no reply.
    pub async fn subscribe_app(
        &self,
        app: &App,
        callback_url: &str,
        verify_token: &SecretString,
        fields: &[String],
    ) -> Result<(), GraphError> {
        let body = json!({ "object": OBJECT, "callback_url": callback_url,
            "verify_token": verify_token.expose_secret(), "fields": fields.join(",") });
        self.post(&format!("{}/subscriptions", app.id), &body, &app.token()).await
    }

    /// Returns the apps subscribed to an account's webhooks.
    ///
    /// # Errors
    /// Meta's error, or no reply.
    pub async fn subscribed_apps(&self, account: &str) -> Result<Vec<SubscribedApp>, GraphError> {
        let reply = self.get(&format!("{account}/subscribed_apps"), &[], &self.token).await?;
        let app = |entry: &Value| {
            let app = &entry["whatsapp_business_api_data"];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let override_url = entry["override_callback_uri"].as_str().map(str::to_owned);
            SubscribedApp { id: text(&app["id"]), name: text(&app["name"]), override_url }
        };
        Ok(reply["data"].as_array().into_iter().flatten().map(app).collect())
    }

    /// Subscribes our token's app to an account at the app's own address, which removes an address for this account alone.
    ///
    /// # Errors
    /// Meta's error, or no reply.
    pub async fn subscribe_account(&self, account: &str) -> Result<(), GraphError> {
        self.post(&format!("{account}/subscribed_apps"), &json!({}), &self.token).await
    }

    /// Returns the ids of an account's numbers.
    ///
    /// # Errors
    /// Meta's error, or no reply.
    pub async fn numbers_of(&self, account: &str) -> Result<Vec<String>, GraphError> {
        let reply = self.get(&format!("{account}/phone_numbers"), &[("fields", "id")], &self.token).await?;
        let numbers = reply["data"].as_array().into_iter().flatten();
        Ok(numbers.filter_map(|number| number["id"].as_str().map(str::to_owned)).collect())
    }

    /// Returns an account's properties.
    ///
    /// # Errors
    /// Meta's error, or no reply.
    pub async fn account(&self, account: &str) -> Result<Account, GraphError> {
        let mut known = self.get(account, &[("fields", OF_AN_ACCOUNT)], &self.token).await?;
        // An error of this request must not cost the other fields.
        if let Ok(funding) = self.get(account, &[("fields", FUNDING)], &self.token).await {
            add_funding(&mut known, &funding);
        }
        read(&known)
    }

    /// Returns a number's properties.
    ///
    /// # Errors
    /// Meta's error, or no reply.
    pub async fn number(&self, number: &str) -> Result<Number, GraphError> {
        read(&self.get(number, &[("fields", OF_A_NUMBER)], &self.token).await?)
    }

    /// Removes a number's own webhook address, so that its account's applies.
    ///
    /// # Errors
    /// Meta's error, or no reply.
    pub async fn forget_override(&self, number: &str) -> Result<(), GraphError> {
        let body = json!({ "webhook_configuration": { "override_callback_uri": "" } });
        self.post(number, &body, &self.token).await
    }

    /// Returns a number's call settings.
    ///
    /// # Errors
    /// Meta's error, or no reply.
    pub async fn calling(&self, number: &str) -> Result<Calling, GraphError> {
        let reply = self.get(&format!("{number}/settings"), &[], &self.token).await?;
        if reply["calling"].is_null() { Ok(Calling::default()) } else { read(&reply["calling"]) }
    }

    /// Changes these call settings of a number, and no others.
    ///
    /// # Errors
    /// Meta's error: 138015 when the messaging limit is below 2,000, 138018 when no app is subscribed to calls.
    pub async fn set_calling(&self, number: &str, settings: &Value) -> Result<(), GraphError> {
        self.post(&format!("{number}/settings"), &json!({ "calling": settings }), &self.token).await
    }

    async fn get(
        &self,
        path: &str,
        query: &[(&str, &str)],
        token: &SecretString,
    ) -> Result<Value, GraphError> {
        let url = reqwest::Url::parse_with_params(&self.api.url(path), query);
        let url = url.map_err(|error| GraphError::Unanswered { reason: format!("GRAPH_URL: {error}") })?;
        let bytes = self.ask(self.api.http().get(url), token).await?;
        serde_json::from_slice(&bytes).map_err(|_| unreadable())
    }
}

/// Adds the payment method to an account's properties, where both replies are objects.
fn add_funding(known: &mut Value, funding: &Value) {
    if let (Some(known), Some(funding)) = (known.as_object_mut(), funding.get(FUNDING)) {
        known.insert(FUNDING.to_owned(), funding.clone());
    }
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<T, GraphError> {
    T::deserialize(value).map_err(|_| unreadable())
}

/// The error leaves out the reply, which may be personal.
fn unreadable() -> GraphError {
    GraphError::Unanswered { reason: "its reply is not of the shape we know".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_funding_to_an_account_only() {
        let added = |mut known: Value, funding: Value| {
            add_funding(&mut known, &funding);
            known
        };

        assert_eq!(added(json!({ "id": "1" }), json!({ FUNDING: "2" })), json!({ "id": "1", FUNDING: "2" }));
        for odd in [json!([1]), json!("ok"), json!(null), json!(true)] {
            assert_eq!(added(odd.clone(), json!({ FUNDING: "2" })), odd);
            assert_eq!(added(json!({ "id": "1" }), odd), json!({ "id": "1" }));
        }
    }
}
