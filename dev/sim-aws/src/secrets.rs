//! Secrets Manager: the current and the previous value of each secret.

use crate::clock;
use crate::identity::arn;
use crate::refusal::Refusal;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;
use uuid::Uuid;

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

#[derive(Debug)]
pub(crate) struct Secrets {
    secrets: Mutex<BTreeMap<String, Secret>>,
    refuses_to_store: AtomicBool,
}

#[derive(Debug)]
struct Secret {
    current: Version,
    previous: Option<Version>,
}

#[derive(Debug, Clone)]
struct Version {
    id: String,
    value: String,
    created: SystemTime,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetSecretValue {
    secret_id: Option<String>,
    version_id: Option<String>,
    version_stage: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PutSecretValue {
    secret_id: Option<String>,
    /// Set by clients so that a repeated request makes one version.
    client_request_token: Option<String>,
    secret_string: Option<String>,
}

impl Secrets {
    pub(crate) fn new(values: BTreeMap<String, String>) -> Self {
        let secrets = values.into_iter().map(|(id, value)| (id, Secret::new(value))).collect();
        Self { secrets: Mutex::new(secrets), refuses_to_store: AtomicBool::new(false) }
    }

    /// The ARN that the right to a secret is checked against: one that is missing has no six characters behind its name.
    pub(crate) fn resource(&self, id: &str) -> String {
        if id.starts_with("arn:") || self.lock().contains_key(id) {
            return arn_of(id);
        }
        arn("secretsmanager", &format!("secret:{id}"))
    }

    pub(crate) fn answer(&self, action: &str, body: &[u8]) -> Result<Value, Refusal> {
        match action {
            "GetSecretValue" => self.get(&read(body)?),
            "PutSecretValue" => self.put(read(body)?),
            _ => Err(Refusal::unknown_operation(action)),
        }
    }

    pub(crate) fn refuse_to_store(&self) {
        self.refuses_to_store.store(true, Ordering::Relaxed);
    }

    /// Gives a secret a new value; the old one becomes `AWSPREVIOUS`.
    pub(crate) fn rotate(&self, id: &str, value: String) {
        let mut secrets = self.lock();
        let previous = secrets.remove(id).map(|secret| secret.current);
        secrets.insert(id.to_owned(), Secret { previous, ..Secret::new(value) });
    }

    /// Returns the current value of a secret, and the one before, if there is one.
    pub(crate) fn values(&self, id: &str) -> Vec<String> {
        let secrets = self.lock();
        let versions = secrets.get(id).map(|secret| std::iter::once(&secret.current).chain(&secret.previous));
        versions.into_iter().flatten().map(|version| version.value.clone()).collect()
    }

    fn get(&self, request: &GetSecretValue) -> Result<Value, Refusal> {
        let asked = request.secret_id.as_deref().ok_or_else(no_secret_id)?;
        let secrets = self.lock();
        let found = secrets.iter().find(|(id, _)| *id == asked || arn_of(id) == asked);
        let (id, secret) = found.ok_or_else(|| not_found("the specified secret."))?;
        let (version, stage) = secret.version(request)?;
        Ok(json!({
            "ARN": arn_of(id),
            "Name": name_of(id),
            "VersionId": version.id,
            "VersionStages": [stage],
            "SecretString": version.value,
            "CreatedDate": clock::seconds(version.created),
        }))
    }

    /// Gives a secret that exists a new current version. A request that is repeated with its token changes nothing.
    fn put(&self, request: PutSecretValue) -> Result<Value, Refusal> {
        let asked = request.secret_id.as_deref().ok_or_else(no_secret_id)?;
        if self.refuses_to_store.load(Ordering::Relaxed) {
            let why = "User: arn:aws:iam::000000000000:user/operator is not authorized to perform: secretsmanager:PutSecretValue";
            return Err(Refusal::new("AccessDeniedException", why));
        }
        let value = request.secret_string.ok_or_else(|| {
            Refusal::new("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
        })?;
        let mut secrets = self.lock();
        let found = secrets.iter_mut().find(|(id, _)| *id == asked || arn_of(id) == asked);
        let (id, secret) = found.ok_or_else(|| not_found("the specified secret."))?;
        let version = request.client_request_token.unwrap_or_else(|| Uuid::new_v4().to_string());
        if secret.current.id != version {
            let new = Version { id: version, value, created: SystemTime::now() };
            secret.previous = Some(std::mem::replace(&mut secret.current, new));
        } else if secret.current.value != value {
            let why = "You can't modify an existing version, you can only create a new version.";
            return Err(Refusal::new("ResourceExistsException", why));
        }
        Ok(json!({
            "ARN": arn_of(id), "Name": name_of(id), "VersionId": secret.current.id, "VersionStages": [CURRENT],
        }))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Secret>> {
        self.secrets.lock().expect("no thread panics while holding the secrets")
    }
}

impl Secret {
    fn new(value: String) -> Self {
        let current = Version { id: Uuid::new_v4().to_string(), value, created: SystemTime::now() };
        Self { current, previous: None }
    }

    /// The one version that has both the id and the stage asked for.
    fn version(&self, request: &GetSecretValue) -> Result<(&Version, &'static str), Refusal> {
        let by_id = request.version_id.as_deref();
        let by_stage = request.version_stage.as_deref().or(by_id.is_none().then_some(CURRENT));
        [(Some(&self.current), CURRENT), (self.previous.as_ref(), PREVIOUS)]
            .into_iter()
            .filter_map(|(version, stage)| Some((version?, stage)))
            .filter(|(version, _)| by_id.is_none_or(|id| version.id == id))
            .find(|(_, stage)| by_stage.is_none_or(|asked| asked == *stage))
            .ok_or_else(|| match (by_id, by_stage) {
                (Some(id), _) => not_found(&format!("the specified secret value for VersionId: {id}")),
                (None, stage) => not_found(&format!(
                    "the specified secret value for staging label: {}",
                    stage.unwrap_or(CURRENT)
                )),
            })
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::new("SerializationException", error.to_string()))
}

fn no_secret_id() -> Refusal {
    Refusal::new(
        "ValidationException",
        "1 validation error detected: Value null at 'secretId' failed to satisfy constraint: Member must not be null",
    )
}

fn not_found(what: &str) -> Refusal {
    Refusal::new("ResourceNotFoundException", format!("Secrets Manager can't find {what}"))
}

/// A name gets an ARN with six characters behind it, as AWS adds; an id that is an ARN stays one.
/// The ARN of a secret, by its name or ARN.
pub(crate) fn arn_of(id: &str) -> String {
    if id.starts_with("arn:") { id.to_owned() } else { arn("secretsmanager", &format!("secret:{id}-AbCdEf")) }
}

fn name_of(id: &str) -> &str {
    match id.rsplit_once(":secret:") {
        Some((_, name)) => name.rsplit_once('-').map_or(name, |(name, _)| name),
        None => id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_by_name_and_by_arn() {
        let secrets = secrets();

        let by_name = ask(&secrets, json!({"SecretId": "meta"})).unwrap();
        let by_arn = ask(&secrets, json!({"SecretId": by_name["ARN"]})).unwrap();

        assert_eq!(by_name["SecretString"], "one");
        assert_eq!(by_name["Name"], "meta");
        assert_eq!(by_name, by_arn);
    }

    #[test]
    fn rotation_keeps_the_value_before() {
        let secrets = secrets();
        secrets.rotate("meta", "two".into());

        assert_eq!(ask(&secrets, json!({"SecretId": "meta"})).unwrap()["SecretString"], "two");
        let previous = json!({"SecretId": "meta", "VersionStage": "AWSPREVIOUS"});
        assert_eq!(ask(&secrets, previous).unwrap()["SecretString"], "one");
    }

    #[test]
    fn a_value_put_is_current_once_for_each_token() {
        let secrets = secrets();
        let put = |id: &str, value: &str| {
            let request = json!({"SecretId": id, "SecretString": value, "ClientRequestToken": "t"});
            secrets.answer("PutSecretValue", request.to_string().as_bytes())
        };

        assert_eq!(put("meta", "two").unwrap(), put("meta", "two").unwrap());

        assert_eq!(ask(&secrets, json!({"SecretId": "meta"})).unwrap()["SecretString"], "two");
        let previous = json!({"SecretId": "meta", "VersionStage": "AWSPREVIOUS"});
        assert_eq!(ask(&secrets, previous).unwrap()["SecretString"], "one");
        assert_eq!(put("meta", "three").unwrap_err().code, "ResourceExistsException");
        assert_eq!(put("openai", "two").unwrap_err().code, "ResourceNotFoundException");
    }

    #[test]
    fn what_does_not_exist_is_not_found() {
        for request in [
            json!({"SecretId": "openai"}),
            json!({"SecretId": "meta", "VersionStage": "AWSPREVIOUS"}),
            json!({"SecretId": "meta", "VersionId": "00000000-0000-0000-0000-000000000000"}),
        ] {
            assert_eq!(ask(&secrets(), request).unwrap_err().code, "ResourceNotFoundException");
        }
    }

    #[test]
    fn a_request_for_no_secret_at_all_is_refused() {
        assert_eq!(ask(&secrets(), json!({})).unwrap_err().code, "ValidationException");
    }

    #[test]
    fn other_actions_are_not_played() {
        let refusal = secrets().answer("DeleteSecret", b"{}").unwrap_err();

        assert_eq!(refusal.code, "UnknownOperationException");
    }

    fn secrets() -> Secrets {
        Secrets::new(BTreeMap::from([("meta".into(), "one".into())]))
    }

    fn ask(secrets: &Secrets, request: Value) -> Result<Value, Refusal> {
        secrets.answer("GetSecretValue", request.to_string().as_bytes())
    }
}
