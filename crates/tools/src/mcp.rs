//! Remote MCP servers: the model calls them itself, so only their definitions are made here.

use agents::McpServer;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

/// Returns the server's definition for the model. With `authorization`, it holds a secret.
pub(crate) fn definition(server: &McpServer, authorization: Option<&SecretString>) -> Value {
    let mut definition = Map::new();
    let mut set = |name: &str, value: Value| definition.insert(name.to_owned(), value);
    set("type", json!("mcp"));
    set("server_label", json!(server.label));
    set("server_url", json!(server.url.as_str()));
    // No person is there to approve a use.
    set("require_approval", json!("never"));
    if let Some(description) = &server.description {
        set("server_description", json!(description));
    }
    if let Some(authorization) = authorization {
        set("authorization", json!(authorization.expose_secret()));
    }
    if !server.allowed_tools.is_empty() {
        set("allowed_tools", json!(server.allowed_tools));
    }
    definition.into()
}
