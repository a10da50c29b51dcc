//! What ECS tells the task about itself, and how it is asked to spare the task.
//!
//! Spec: "Amazon ECS task metadata endpoint version 4", "Amazon ECS task scale-in protection endpoint".

use crate::task_protection;
use anyhow::{Context, anyhow};
use reqwest::Client;
use serde::Deserialize;
use serde_json::json;
use service::env::{Env, SettingError};
use std::time::Duration;

/// How long the task's metadata may take.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How long the agent may take to change the protection: it waits 4 s for ECS itself.
const PROTECTED_WITHIN: Duration = Duration::from_secs(6);

/// How long to wait before the metadata is asked for again: its endpoint can fail while the task boots.
const PAUSES: [Duration; 6] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// This task, as ECS knows it.
#[derive(Debug, Clone)]
pub struct Task {
    http: Client,
    /// The last part of the task's ARN.
    pub id: String,
    /// The revision of its task definition.
    pub revision: String,
    /// The vCPUs it has, if its definition limits them.
    pub vcpus: Option<f64>,
    agent: Option<String>,
}

/// Why the protection is not as it was asked to be.
#[derive(Debug, thiserror::Error)]
pub enum Unprotected {
    /// ECS says no. It may say yes later.
    #[error("ECS refuses: {0}")]
    Refused(String),
    /// ECS did not say: a time-out, throttling, an error of the agent's, or an answer that cannot be read.
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

/// What the agent answers: one of the three.
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
    /// Asks ECS who this task is, again if need be.
    ///
    /// # Errors
    /// When ECS does not say where to ask; or after seven tries: within 8 s where the endpoint refuses, 22 s where it hangs.
    pub async fn of_process(env: &Env) -> anyhow::Result<Self> {
        let uri = env.required("ECS_CONTAINER_METADATA_URI_V4")?;
        let http = Client::builder().no_proxy().build().context("cannot make an HTTP client")?;
        let metadata: Metadata = told(&http, &format!("{uri}/task")).await.context("the task's metadata")?;
        let id = metadata.task_arn.rsplit('/').next().unwrap_or_default().to_owned();
        let agent = env.optional("ECS_AGENT_URI").map(str::to_owned);
        if id.is_empty() {
            return Err(SettingError::Missing("ECS_CONTAINER_METADATA_URI_V4").into());
        }
        Ok(Self { http, id, revision: metadata.revision, vcpus: metadata.limits.cpu, agent })
    }

    /// Keeps ECS from stopping this task for a deployment or to scale in; or lets it again.
    ///
    /// # Errors
    /// When ECS refuses, or does not answer.
    pub async fn protect(&self, on: bool) -> Result<(), Unprotected> {
        let Some(agent) = &self.agent else { return Ok(()) };
        let body = if on {
            json!({"ProtectionEnabled": true, "ExpiresInMinutes": task_protection::MINUTES})
        } else {
            json!({"ProtectionEnabled": false})
        };
        let request = self.http.put(format!("{agent}/task-protection/v1/state")).json(&body);
        let reply = request.timeout(PROTECTED_WITHIN).send().await.map_err(|error| unknown(error.into()))?;
        let status = reply.status();
        let answer = reply.bytes().await.map_err(|error| unknown(error.into()))?;
        let answer: Answer = serde_json::from_slice(&answer)
            .map_err(|error| unknown(anyhow!("status {status}, and a body that cannot be read: {error}")))?;
        answer.means(on, status.as_u16())
    }
}

impl Answer {
    /// Whether the protection is `on` as asked. Only a failure with a reason is ECS's own no.
    fn means(self, on: bool, status: u16) -> Result<(), Unprotected> {
        if let Some(reason) = self.failure.and_then(|failure| failure.reason) {
            return Err(Unprotected::Refused(reason));
        }
        if let Some(AgentError { code, message }) = self.error {
            return Err(unknown(anyhow!("status {status}, {code}: {message}")));
        }
        match self.protection {
            Some(protection) if protection.protection_enabled == on => Ok(()),
            Some(_) => Err(unknown(anyhow!("status {status}, and the protection is not as asked"))),
            None => Err(unknown(anyhow!("status {status}, and no word of the protection"))),
        }
    }
}

fn unknown(error: anyhow::Error) -> Unprotected {
    Unprotected::Unknown(error)
}

/// What the metadata endpoint tells at an address. It is asked again while it fails.
///
/// # Errors
/// When it fails all the time.
pub(crate) async fn told<T: serde::de::DeserializeOwned>(http: &Client, url: &str) -> anyhow::Result<T> {
    let mut pauses = PAUSES.into_iter();
    loop {
        let error = match ask(http, url).await {
            Ok(told) => return Ok(told),
            Err(error) => error,
        };
        let Some(pause) = pauses.next() else { return Err(error) };
        tracing::warn!(url, "ECS's metadata endpoint failed; asking again in {pause:?}: {error:#}");
        tokio::time::sleep(pause).await;
    }
}

async fn ask<T: serde::de::DeserializeOwned>(http: &Client, url: &str) -> anyhow::Result<T> {
    let reply = http.get(url).timeout(TIMEOUT).send().await.context("ECS does not answer")?;
    let reply = reply.error_for_status().context("ECS's metadata endpoint failed")?;
    reply.json().await.context("cannot understand ECS's metadata")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_failure_with_a_reason_is_a_no() {
        let refused = r#"{"failure": {"Arn": "a", "Reason": "DEPLOYMENT_BLOCKED"}}"#;
        assert!(matches!(read(refused, true), Err(Unprotected::Refused(why)) if why == "DEPLOYMENT_BLOCKED"));

        for other in [
            r#"{"error": {"Arn": "a", "Code": "ThrottlingException", "Message": "Rate exceeded"}}"#,
            r#"{"error": {"Arn": "", "Code": "ServerException", "Message": "Unexpected error occurred"}}"#,
            r#"{"failure": {"Arn": "a"}}"#,
            r#"{"protection": {"ProtectionEnabled": false}}"#,
            "{}",
        ] {
            assert!(matches!(read(other, true), Err(Unprotected::Unknown(_))), "{other}");
        }
    }

    #[test]
    fn a_protection_holds_as_far_as_it_is_as_asked() {
        let (on, off) = (
            r#"{"protection": {"ProtectionEnabled": true}}"#,
            r#"{"protection": {"ProtectionEnabled": false}}"#,
        );

        assert!(read(on, true).is_ok() && read(off, false).is_ok());
        assert!(read(on, false).is_err());
    }

    fn read(answer: &str, on: bool) -> Result<(), Unprotected> {
        serde_json::from_str::<Answer>(answer).expect("it is an answer").means(on, 200)
    }
}
