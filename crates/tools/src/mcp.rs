//! Remote MCP servers: the model speaks to them itself, so all that is ours is to say where they are.

use agents::McpServer;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

/// The server as the model is told of it. With `authorization`, what comes back holds a secret.
pub(crate) fn definition(server: &McpServer, authorization: Option<&SecretString>) -> Value {
    let mut definition = Map::new();
    let mut set = |name: &str, value: Value| definition.insert(name.to_owned(), value);
    set("type", json!("mcp"));
    set("server_label", json!(server.label));
    set("server_url", json!(server.url.as_str()));
    // Nobody is there who could approve.
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
