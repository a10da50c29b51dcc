//! The secrets that call-control speaks with, and what happens when one of them is not taken any more.

use crate::Switchboard;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use whatsapp::{Graph, GraphError};

/// The part of Meta's secret that call-control reads.
#[derive(Debug, Clone, Deserialize)]
pub struct GraphSecret {
    /// The system user's access token.
    pub access_token: SecretString,
}

/// The part of the media tasks' secret that call-control reads.
#[derive(Debug, Clone, Deserialize)]
pub struct ControlApiSecret {
    /// Seals requests at their doors.
    pub door_key: SecretString,
    /// The one before it, while a task may know no other.
    #[serde(default)]
    pub previous_door_key: Option<SecretString>,
}

impl ControlApiSecret {
    /// The keys a door may open to, the newest first.
    pub fn keys(&self) -> impl Iterator<Item = &SecretString> {
        let both = [Some(&self.door_key), self.previous_door_key.as_ref()];
        both.into_iter().flatten().filter(|key| !key.expose_secret().is_empty())
    }
}

impl Switchboard {
    /// Asks Meta for something; and once more with the new access token, if there is one and Meta does not take the old one.
    pub(crate) async fn at_meta<R>(
        &self,
        ask: impl AsyncFn(&Graph) -> R,
        error: impl Fn(&R) -> Option<&GraphError>,
    ) -> R {
        let used = self.meta.current().await;
        let graph = self.line.graph();
        let reply = ask(&graph.with_token(used.access_token.clone())).await;
        if !error(&reply).is_some_and(GraphError::is_about_the_token) {
            return reply;
        }
        match self.meta.instead_of(&used).await {
            Some(newer) => ask(&graph.with_token(newer.access_token.clone())).await,
            None => reply,
        }
    }
}
