//! The secrets of call-control, read again when Meta rejects the access token (rotation).

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
    /// Signs requests to the media tasks' control API.
    pub door_key: SecretString,
    /// The previous key, for tasks that do not know the new one yet.
    #[serde(default)]
    pub previous_door_key: Option<SecretString>,
    /// The key for OpenAI's API, by which calls on the SIP line are accepted and ended.
    #[serde(default)]
    pub openai_api_key: Option<SecretString>,
}

impl ControlApiSecret {
    /// Returns the keys a task may accept, newest first.
    pub fn keys(&self) -> impl Iterator<Item = &SecretString> {
        let both = [Some(&self.door_key), self.previous_door_key.as_ref()];
        both.into_iter().flatten().filter(|key| !key.expose_secret().is_empty())
    }
}

impl Switchboard {
    /// Sends a request to Meta, and once more with a newer access token, if there is one and Meta rejects the old one.
    pub(crate) async fn send_to_meta<R>(
        &self,
        request: impl AsyncFn(&Graph) -> R,
        error: impl Fn(&R) -> Option<&GraphError>,
    ) -> R {
        let used = self.meta.current().await;
        let graph = self.graph.client();
        let reply = request(&graph.with_token(used.access_token.clone())).await;
        if !error(&reply).is_some_and(GraphError::is_about_the_token) {
            return reply;
        }
        match self.meta.instead_of(&used).await {
            Some(newer) => request(&graph.with_token(newer.access_token.clone())).await,
            None => reply,
        }
    }
}
