//! What an agent may do besides talking: the built-in tools, the operator's own, and remote MCP servers.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;
use url::Url;

/// The tools of an agent. The built-in ones are on by default.
#[derive(Debug, Clone, PartialEq)]
pub struct Tools {
    /// It may end the call.
    pub end_call: bool,
    /// It may send the caller a WhatsApp message.
    pub send_whatsapp_message: bool,
    /// It may take a message for a person.
    pub take_message: bool,
    /// It may note that the caller wants to be called back by a person.
    pub request_callback: bool,
    /// The only hosts its HTTP tools may reach, lower case.
    pub allowed_hosts: Vec<String>,
    /// The operator's own tools.
    pub http: Vec<HttpTool>,
    /// Servers that the model itself speaks to.
    pub mcp: Vec<McpServer>,
}

impl Default for Tools {
    fn default() -> Self {
        Self {
            end_call: true,
            send_whatsapp_message: true,
            take_message: true,
            request_callback: true,
            allowed_hosts: vec![],
            http: vec![],
            mcp: vec![],
        }
    }
}

/// A tool that is an HTTP request.
#[derive(Clone, PartialEq)]
pub struct HttpTool {
    /// What the model calls it: `^[a-zA-Z0-9_-]{1,64}$`.
    pub name: String,
    /// What it is for, as the model is told.
    pub description: String,
    /// The request's method.
    pub method: Method,
    /// Where it goes: https, or http to a loopback host. Segments of the path may be placeholders such as `{order}`, which a
    /// [`Url`] holds as `%7Border%7D`; each names a required parameter.
    pub url: Url,
    /// The JSON Schema of its arguments; its type is `object`.
    pub parameters: serde_json::Value,
    /// How long an answer is waited for; 8 s by default, at most 30 s.
    pub timeout: Duration,
    /// Headers to send, none of them secret.
    pub headers: BTreeMap<String, String>,
    /// The name of the secret the request is signed with, never the secret itself.
    pub sign_with: Option<String>,
    /// The most bytes of an answer that are read; 16 KiB by default.
    pub largest_reply: usize,
}

impl fmt::Debug for HttpTool {
    /// Without headers, query and parameters: they are the operator's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTool")
            .field("name", &self.name)
            .field("method", &self.method)
            .field("host", &self.url.host_str())
            .field("timeout", &self.timeout)
            .field("is_signed", &self.sign_with.is_some())
            .finish_non_exhaustive()
    }
}

/// The method of an HTTP tool's request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the words are HTTP's")]
pub enum Method {
    Get,
    #[default]
    Post,
    Put,
    Patch,
    Delete,
}

/// A remote MCP server. The model uses it without asking: nobody is there to approve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpServer {
    /// What the model calls it.
    pub label: String,
    /// Where it is.
    pub url: Url,
    /// What it is for, as the model is told.
    pub description: Option<String>,
    /// The name of the secret the model presents there, never the secret itself.
    pub authorization_with: Option<String>,
    /// The only tools of it that may be used; empty is all.
    pub allowed_tools: Vec<String>,
}
