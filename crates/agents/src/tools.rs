//! The tools of an agent: built-in tools, the operator's HTTP tools, and remote MCP servers.

use crate::Transfer;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;
use url::Url;

/// The name of the built-in tool that transfers the call.
pub const TRANSFER_CALL: &str = "transfer_call";

/// The tools of an agent. The built-in ones are on by default, but for the transfer of calls.
#[derive(Debug, Clone, PartialEq)]
pub struct Tools {
    /// Whether the agent may end the call.
    pub end_call: bool,
    /// Whether the agent may send the caller a WhatsApp message.
    pub send_whatsapp_message: bool,
    /// Whether the agent may take a message for a person.
    pub take_message: bool,
    /// Whether the agent may record that the caller wants to be called back by a person.
    pub request_callback: bool,
    /// Whether, when and where to the agent may transfer the call; only on lines that can.
    pub transfer: Option<Transfer>,
    /// The only hosts that HTTP tools may reach, in lower case.
    pub allowed_hosts: Vec<String>,
    /// The operator's HTTP tools.
    pub http: Vec<HttpTool>,
    /// Remote MCP servers, which OpenAI calls itself.
    pub mcp: Vec<McpServer>,
}

impl Default for Tools {
    fn default() -> Self {
        Self {
            end_call: true,
            send_whatsapp_message: true,
            take_message: true,
            request_callback: true,
            transfer: None,
            allowed_hosts: vec![],
            http: vec![],
            mcp: vec![],
        }
    }
}

/// A tool that is an HTTP request.
#[derive(Clone, PartialEq)]
pub struct HttpTool {
    /// The function name for the model: `^[a-zA-Z0-9_-]{1,64}$`.
    pub name: String,
    /// The function description for the model.
    pub description: String,
    /// The HTTP method of the request.
    pub method: Method,
    /// The URL: https, or http to a loopback host. Path segments may be placeholders such as `{order}`, which a
    /// [`Url`] holds as `%7Border%7D`; each names a required parameter.
    pub url: Url,
    /// The JSON Schema of the arguments, with type `object`.
    pub parameters: serde_json::Value,
    /// The request timeout; 8 s by default, at most 30 s.
    pub timeout: Duration,
    /// The request headers, none of them secret.
    pub headers: BTreeMap<String, String>,
    /// The name of the secret that signs the request, never the secret itself.
    pub sign_with: Option<String>,
    /// Whether the request's body names the caller; off by default, and only where it is signed.
    pub tells_caller: bool,
    /// The number of bytes of a reply that are read; 16 KiB by default.
    pub largest_reply: usize,
}

impl fmt::Debug for HttpTool {
    /// Leaves out headers, query and parameters, which belong to the operator.
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

/// A remote MCP server. The model calls its tools without approval, since no one is there to approve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpServer {
    /// The label of the server for the model.
    pub label: String,
    /// The URL of the server.
    pub url: Url,
    /// The description of the server for the model.
    pub description: Option<String>,
    /// The name of the secret that OpenAI presents to the server, never the secret itself.
    pub authorization_with: Option<String>,
    /// The only tools of the server that may be used; empty is all.
    pub allowed_tools: Vec<String>,
}
