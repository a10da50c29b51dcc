//! The `[[tools.mcp]]` tables.

use super::http_tool::{address, secret_name};
use crate::error::Fault;
use crate::rules::{at_most, name, text};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct McpServerToml {
    pub(super) label: String,
    url: String,
    description: Option<String>,
    authorization_with: Option<String>,
    #[serde(default)]
    allowed_tools: Vec<String>,
}

impl McpServerToml {
    pub(super) fn resolve(self, at: &str) -> Result<crate::McpServer, Fault> {
        name(&format!("{at}.label"), &self.label)?;
        let url = address(&format!("{at}.url"), &self.url)?;
        // OpenAI's servers call it, so a loopback address of this machine is useless.
        if url.scheme() != "https" {
            return Err(Fault::new(format!("{at}.url"), "must begin with https://"));
        }
        if let Some(description) = &self.description {
            text(&format!("{at}.description"), description, 1024)?;
        }
        secret_name(&format!("{at}.authorization_with"), self.authorization_with.as_deref())?;
        at_most(&format!("{at}.allowed_tools"), self.allowed_tools.len(), 128)?;
        for (index, tool) in self.allowed_tools.iter().enumerate() {
            text(&format!("{at}.allowed_tools[{index}]"), tool, 128)?;
        }
        Ok(crate::McpServer {
            label: self.label,
            url,
            description: self.description,
            authorization_with: self.authorization_with,
            allowed_tools: self.allowed_tools,
        })
    }
}
