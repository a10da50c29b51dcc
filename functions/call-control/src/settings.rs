//! What call-control is told by its environment, and by the secrets named there.

use secrecy::SecretString;
use serde::Deserialize;
use service::env::{Env, WrongSetting};
use switchboard::launch::LaunchSettings;
use whatsapp::graph;

/// Call-control's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `TABLE`: the DynamoDB table.
    pub table: String,
    /// `META_SECRET`: name or ARN of the secret with Meta's keys.
    pub meta_secret: String,
    /// `MEDIA_SECRET`: name or ARN of the secret that is shared with the media tasks.
    pub media_secret: String,
    /// `GRAPH_URL`: where the Graph API is, default `https://graph.facebook.com/v26.0`.
    pub graph_url: String,
    /// `CLUSTER`, `TASK_FAMILY`, `SUBNETS`, `SECURITY_GROUPS`: how another media task is started.
    pub launch: LaunchSettings,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// Which one is missing or malformed.
    pub fn from_env(env: &Env) -> Result<Self, WrongSetting> {
        Ok(Self {
            table: env.required("TABLE")?,
            meta_secret: env.required("META_SECRET")?,
            media_secret: env.required("MEDIA_SECRET")?,
            graph_url: env.optional("GRAPH_URL").unwrap_or(graph::URL).to_owned(),
            launch: LaunchSettings {
                cluster: env.required("CLUSTER")?,
                family: env.required("TASK_FAMILY")?,
                subnets: env.list("SUBNETS"),
                security_groups: env.list("SECURITY_GROUPS"),
            },
        })
    }
}

/// The part of Meta's secret that call-control reads.
#[derive(Debug, Clone, Deserialize)]
pub struct MetaSecret {
    /// The system user's access token.
    pub access_token: SecretString,
}

/// The part of the media tasks' secret that call-control reads.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct MediaSecret {
    /// Seals requests at their doors.
    pub door_key: SecretString,
}
