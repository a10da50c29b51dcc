//! What ECS tells the task about itself, and how it is asked to spare the task.

use crate::protection;
use anyhow::Context;
use reqwest::Client;
use serde::Deserialize;
use serde_json::json;
use service::env::{Env, WrongSetting};
use std::time::Duration;

/// So long the ECS agent has to answer.
const TIMEOUT: Duration = Duration::from_secs(2);

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

impl Task {
    /// Asks ECS who this task is.
    ///
    /// # Errors
    /// When ECS does not say where to ask, or does not answer.
    pub async fn of_process(env: &Env) -> anyhow::Result<Self> {
        let uri = env.required("ECS_CONTAINER_METADATA_URI_V4")?;
        let http =
            Client::builder().no_proxy().timeout(TIMEOUT).build().context("cannot make an HTTP client")?;
        let metadata =
            http.get(format!("{uri}/task")).send().await.context("ECS does not say who this task is")?;
        let metadata: Metadata = metadata.json().await.context("cannot understand the task's metadata")?;
        let id = metadata.task_arn.rsplit('/').next().unwrap_or_default().to_owned();
        let agent = env.optional("ECS_AGENT_URI").map(str::to_owned);
        if id.is_empty() {
            return Err(WrongSetting::Missing("ECS_CONTAINER_METADATA_URI_V4").into());
        }
        Ok(Self { http, id, revision: metadata.revision, vcpus: metadata.limits.cpu, agent })
    }

    /// Keeps ECS from stopping this task for a deployment or to scale in; or lets it again.
    ///
    /// # Errors
    /// When ECS refuses, or does not answer.
    pub async fn protect(&self, on: bool) -> anyhow::Result<()> {
        let Some(agent) = &self.agent else { return Ok(()) };
        let body = if on {
            json!({"ProtectionEnabled": true, "ExpiresInMinutes": protection::MINUTES})
        } else {
            json!({"ProtectionEnabled": false})
        };
        let reply = self.http.put(format!("{agent}/task-protection/v1/state")).json(&body).send().await;
        let reply = reply.context("cannot reach the ECS agent")?;
        let reply: serde_json::Value = reply.json().await.context("cannot understand the ECS agent")?;
        match (
            reply.get("protection"),
            reply.pointer("/failure/Reason").or_else(|| reply.pointer("/error/Message")),
        ) {
            (Some(_), _) => Ok(()),
            (None, reason) => anyhow::bail!(
                "ECS does not protect this task: {}",
                reason.unwrap_or(&json!("no reason given"))
            ),
        }
    }
}
