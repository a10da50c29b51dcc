//! The ECS agent's endpoints: reads this task's metadata, and sets its task protection.
//!
//! Spec: "Amazon ECS task metadata endpoint version 4", "Amazon ECS task scale-in protection endpoint".

use anyhow::{Context, anyhow};
use backon::Retryable;
use call::TaskId;
use reqwest::Client;
use serde::Deserialize;
use serde_json::json;
use service::env::{Env, SettingError};
use std::time::Duration;

/// How long one request for metadata may take.
const METADATA_TIMEOUT: Duration = Duration::from_secs(2);

/// How long setting the task protection may take: the ECS agent itself waits 4 s for ECS.
const PROTECTION_TIMEOUT: Duration = Duration::from_secs(6);

/// How many minutes a protection lasts unless it is renewed. CloudFormation waits three hours for a deployment.
pub const PROTECTION_MINUTES: u32 = 30;

/// The delays between requests for metadata: its endpoint can fail while the task boots.
const RETRY_DELAYS: [Duration; 6] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// This ECS task: its id, its revision, and the endpoint that sets its protection.
#[derive(Debug, Clone)]
pub struct Task {
    http: Client,
    /// The last part of the task's ARN.
    pub id: TaskId,
    /// The revision of its task definition.
    pub revision: String,
    /// The vCPUs of the task, if its definition limits them.
    pub vcpus: Option<f64>,
    agent: Option<String>,
}

/// Why task protection could not be set.
#[derive(Debug, thiserror::Error)]
pub enum ProtectionError {
    /// ECS refused, which may change later.
    #[error("ECS refused: {0}")]
    Refused(String),
    /// The result is unknown: a time-out, throttling, an error of the ECS agent, or a reply that cannot be read.
    #[error("ECS did not answer: {0:#}")]
    Unknown(anyhow::Error),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    #[serde(rename = "TaskARN")]
    task_arn: String,
    revision: String,
    #[serde(default)]
    limits: Limits,
}

#[derive(Debug, Default, Deserialize)]
struct Limits {
    #[serde(rename = "CPU")]
    cpu: Option<f64>,
}

/// The ECS agent's reply: exactly one field is set.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    protection: Option<Protection>,
    failure: Option<Failure>,
    error: Option<AgentError>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Protection {
    protection_enabled: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Failure {
    reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AgentError {
    code: String,
    message: String,
}

impl Task {
    /// Reads this task's id, revision and vCPUs from the metadata endpoint, with retries.
    ///
    /// # Errors
    /// When `ECS_CONTAINER_METADATA_URI_V4` is not set, or after seven requests failed: within 8 s where the endpoint refuses
    /// connections, 22 s where it hangs.
    pub async fn fetch(env: &Env) -> anyhow::Result<Self> {
        let uri = env.required("ECS_CONTAINER_METADATA_URI_V4")?;
        let http = Client::builder().no_proxy().build().context("cannot make an HTTP client")?;
        let metadata: Metadata =
            fetch_metadata(&http, &format!("{uri}/task")).await.context("cannot read the task's metadata")?;
        let id = TaskId::from(metadata.task_arn.rsplit('/').next().unwrap_or_default());
        let agent = env.optional("ECS_AGENT_URI").map(str::to_owned);
        if id.as_str().is_empty() {
            return Err(SettingError::Missing("ECS_CONTAINER_METADATA_URI_V4").into());
        }
        Ok(Self { http, id, revision: metadata.revision, vcpus: metadata.limits.cpu, agent })
    }

    /// Sets or clears task protection, which keeps ECS from stopping this task for a deployment or to scale in. Does nothing
    /// outside ECS.
    ///
    /// # Errors
    /// When ECS refuses, or whether it did so is unknown.
    pub async fn set_protection(&self, on: bool) -> Result<(), ProtectionError> {
        let Some(agent) = &self.agent else { return Ok(()) };
        let body = if on {
            json!({"ProtectionEnabled": true, "ExpiresInMinutes": PROTECTION_MINUTES})
        } else {
            json!({"ProtectionEnabled": false})
        };
        let request = self.http.put(format!("{agent}/task-protection/v1/state")).json(&body);
        let reply =
            request.timeout(PROTECTION_TIMEOUT).send().await.map_err(|error| unknown(error.into()))?;
        let status = reply.status();
        let answer = reply.bytes().await.map_err(|error| unknown(error.into()))?;
        let answer: Answer = serde_json::from_slice(&answer)
            .map_err(|error| unknown(anyhow!("status {status}, the reply cannot be read: {error}")))?;
        answer.into_result(on, status.as_u16())
    }
}

impl Answer {
    /// Returns `Ok` if the protection is `on`. Only a failure with a reason is ECS's own refusal.
    fn into_result(self, on: bool, status: u16) -> Result<(), ProtectionError> {
        if let Some(reason) = self.failure.and_then(|failure| failure.reason) {
            return Err(ProtectionError::Refused(reason));
        }
        if let Some(AgentError { code, message }) = self.error {
            return Err(unknown(anyhow!("status {status}, {code}: {message}")));
        }
        match self.protection {
            Some(protection) if protection.protection_enabled == on => Ok(()),
            Some(_) => Err(unknown(anyhow!("status {status}, the protection is not what was asked for"))),
            None => Err(unknown(anyhow!("status {status}, the reply does not mention the protection"))),
        }
    }
}

fn unknown(error: anyhow::Error) -> ProtectionError {
    ProtectionError::Unknown(error)
}

/// Reads JSON from the metadata endpoint, with retries.
///
/// # Errors
/// When the last of seven requests fails.
pub(crate) async fn fetch_metadata<T: serde::de::DeserializeOwned>(
    http: &Client,
    url: &str,
) -> anyhow::Result<T> {
    (|| get_json(http, url))
        .retry(RETRY_DELAYS.into_iter())
        .notify(|error, delay| {
            tracing::warn!(url, "ECS metadata request failed; retry in {delay:?}: {error:#}");
        })
        .await
}

async fn get_json<T: serde::de::DeserializeOwned>(http: &Client, url: &str) -> anyhow::Result<T> {
    let reply = http
        .get(url)
        .timeout(METADATA_TIMEOUT)
        .send()
        .await
        .context("the metadata endpoint did not answer")?;
    let reply = reply.error_for_status().context("the metadata endpoint returned an error")?;
    reply.json().await.context("cannot parse the metadata")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_failure_with_a_reason_is_a_refusal() {
        let refused = r#"{"failure": {"Arn": "a", "Reason": "DEPLOYMENT_BLOCKED"}}"#;
        assert!(
            matches!(read(refused, true), Err(ProtectionError::Refused(why)) if why == "DEPLOYMENT_BLOCKED")
        );

        for other in [
            r#"{"error": {"Arn": "a", "Code": "ThrottlingException", "Message": "Rate exceeded"}}"#,
            r#"{"error": {"Arn": "", "Code": "ServerException", "Message": "Unexpected error occurred"}}"#,
            r#"{"failure": {"Arn": "a"}}"#,
            r#"{"protection": {"ProtectionEnabled": false}}"#,
            "{}",
        ] {
            assert!(matches!(read(other, true), Err(ProtectionError::Unknown(_))), "{other}");
        }
    }

    #[test]
    fn protection_counts_only_if_ecs_confirms_what_was_asked() {
        let (on, off) = (
            r#"{"protection": {"ProtectionEnabled": true}}"#,
            r#"{"protection": {"ProtectionEnabled": false}}"#,
        );

        assert!(read(on, true).is_ok() && read(off, false).is_ok());
        assert!(read(on, false).is_err());
    }

    fn read(answer: &str, on: bool) -> Result<(), ProtectionError> {
        serde_json::from_str::<Answer>(answer).expect("the reply is JSON").into_result(on, 200)
    }
}
