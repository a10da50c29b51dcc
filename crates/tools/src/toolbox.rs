//! The toolbox: an agent's tools as definitions for the model, and the model's tool calls read and checked.

use crate::arguments::Arguments;
use crate::built_in::BuiltIn;
use crate::config_error::ToolConfigError;
use crate::http::{self, Endpoint, HttpCall};
use crate::mcp;
use crate::outcome::{Refused, ToolError};
use crate::tool_use::ToolUse;
use agents::{HttpTool, NOT_AT_THE_TOP, Tools};
use operator_http::OperatorHttp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The tools of an agent file, shared by its calls.
pub struct Toolbox {
    tools: Vec<Tool>,
    definitions: Vec<Value>,
}

struct Tool {
    name: String,
    arguments: Arguments,
    action: Action,
}

enum Action {
    BuiltIn(BuiltIn),
    Http(Arc<Endpoint>),
}

impl Toolbox {
    /// Prepares an agent's tools. `secrets` are those that the agent file names, by name.
    ///
    /// # Errors
    /// When a secret is missing, or a tool's parameters, URL or headers cannot work.
    pub fn new(tools: &Tools, secrets: &BTreeMap<String, SecretString>) -> Result<Self, ToolConfigError> {
        Self::with_client(OperatorHttp::new, tools, secrets)
    }

    /// As [`Toolbox::new`], with HTTP tools that send their requests by another client.
    pub(crate) fn with_client(
        client: impl FnOnce() -> Result<OperatorHttp, reqwest::Error>,
        tools: &Tools,
        secrets: &BTreeMap<String, SecretString>,
    ) -> Result<Self, ToolConfigError> {
        let mut toolbox = Self { tools: Vec::new(), definitions: Vec::new() };
        for built_in in built_ins(tools) {
            toolbox.add(
                built_in.name(),
                &description(built_in, tools),
                &built_in.parameters(),
                Action::BuiltIn(built_in),
            )?;
        }
        if !tools.http.is_empty() {
            let http = client().map_err(|error| ToolConfigError::Https { reason: error.to_string() })?;
            let shared = http::HttpToolContext::new(http, tools);
            for tool in &tools.http {
                let key =
                    tool.sign_with.as_deref().map(|name| secret(&tool.name, name, secrets)).transpose()?;
                let endpoint = Arc::new(Endpoint::new(tool, key.cloned(), &shared)?);
                toolbox.add(
                    &tool.name,
                    &tool.description,
                    &tool.parameters,
                    Action::Http(endpoint.clone()),
                )?;
                check_placeholders(tool, &endpoint)?;
            }
        }
        for server in &tools.mcp {
            let authorization = server.authorization_with.as_deref();
            let authorization = authorization.map(|name| secret(&server.label, name, secrets)).transpose()?;
            toolbox.definitions.push(mcp::definition(server, authorization));
        }
        Ok(toolbox)
    }

    /// Returns the `tools` of the model's session. Those of MCP servers may hold a secret, so this is for the model alone, not
    /// for logs.
    pub fn definitions(&self) -> Vec<Value> {
        self.definitions.clone()
    }

    /// Reads a tool call. `arguments` is the JSON as the model wrote it. Nothing is carried out.
    ///
    /// # Errors
    /// When there is no such tool, or the arguments do not match its schema.
    pub fn read(&self, name: &str, arguments: &str) -> Result<ToolUse, Refused> {
        let tool = self.tools.iter().find(|tool| tool.name == name).ok_or_else(|| self.unknown_tool())?;
        let arguments = tool.arguments.read(arguments)?;
        Ok(match &tool.action {
            Action::BuiltIn(built_in) => built_in.read(arguments),
            Action::Http(endpoint) => ToolUse::Http(HttpCall::new(endpoint.clone(), arguments)?),
        })
    }

    fn add(
        &mut self,
        name: &str,
        description: &str,
        parameters: &Value,
        action: Action,
    ) -> Result<(), ToolConfigError> {
        let arguments =
            Arguments::of(parameters).ok_or_else(|| ToolConfigError::Parameters { tool: name.to_owned() })?;
        self.tools.push(Tool { name: name.to_owned(), arguments, action });
        self.definitions.push(json!({
            "type": "function",
            "name": name,
            "description": description,
            "parameters": model_schema(parameters),
        }));
        Ok(())
    }

    fn unknown_tool(&self) -> Refused {
        let names: Vec<_> = self.tools.iter().map(|tool| tool.name.as_str()).collect();
        let for_the_model =
            format!("Nothing was done: there is no tool of that name. There are: {}.", names.join(", "));
        Refused { trouble: ToolError::NoSuchTool, for_the_model }
    }
}

/// Returns the parameters' schema for the model. OpenAI refuses some keywords at its top level, and the whole session with them:
/// they go into the schema's description instead. Arguments are checked against the whole schema.
fn model_schema(schema: &Value) -> Value {
    let mut model_schema = schema.clone();
    let Value::Object(fields) = &mut model_schema else { return model_schema };
    let refused = NOT_AT_THE_TOP.iter().filter_map(|key| Some(((*key).to_owned(), fields.remove(*key)?)));
    let refused: Map<String, Value> = refused.collect();
    if !refused.is_empty() {
        let before = fields.get("description").and_then(Value::as_str).map(|text| format!("{text} "));
        let before = before.unwrap_or_default();
        let refused = Value::Object(refused);
        fields.insert(
            "description".to_owned(),
            json!(format!("{before}It must also fit this JSON Schema: {refused}")),
        );
    }
    model_schema
}

fn built_ins(tools: &Tools) -> impl Iterator<Item = BuiltIn> {
    [
        (tools.end_call, BuiltIn::EndCall),
        (tools.send_whatsapp_message, BuiltIn::SendMessage),
        (tools.take_message, BuiltIn::TakeMessage),
        (tools.request_callback, BuiltIn::RequestCallback),
        (tools.transfer.is_some(), BuiltIn::TransferCall),
    ]
    .into_iter()
    .filter_map(|(is_on, built_in)| is_on.then_some(built_in))
}

/// Returns the description of a built-in tool for the model. When to transfer a call, the operator says.
fn description(built_in: BuiltIn, tools: &Tools) -> String {
    let when = tools.transfer.as_ref().filter(|_| built_in == BuiltIn::TransferCall);
    let when = when.map(|transfer| format!("Connects the caller to a person. {} ", transfer.when.trim()));
    when.unwrap_or_default() + built_in.description()
}

/// Returns a secret by name. An empty one counts as missing: anyone could sign with it.
fn secret<'a>(
    tool: &str,
    name: &str,
    secrets: &'a BTreeMap<String, SecretString>,
) -> Result<&'a SecretString, ToolConfigError> {
    let found = secrets.get(name).filter(|secret| !secret.expose_secret().is_empty());
    found.ok_or_else(|| ToolConfigError::Secret { tool: tool.to_owned(), secret: name.to_owned() })
}

fn check_placeholders(tool: &HttpTool, endpoint: &Endpoint) -> Result<(), ToolConfigError> {
    let known = &tool.parameters["properties"];
    if endpoint.placeholders().all(|name| known.get(name).is_some()) {
        Ok(())
    } else {
        Err(ToolConfigError::Url { tool: tool.name.clone() })
    }
}

/// Shows the tools' names only, since definitions may hold a secret.
impl fmt::Debug for Toolbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.tools.iter().map(|tool| &tool.name).collect();
        f.debug_struct("Toolbox").field("tools", &names).finish_non_exhaustive()
    }
}

/// Hides what the caller said.
impl fmt::Debug for ToolUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EndCall => f.write_str("EndCall"),
            Self::TransferCall => f.write_str("TransferCall"),
            Self::SendMessage { .. } => f.debug_struct("SendMessage").finish_non_exhaustive(),
            Self::TakeMessage(message) => message.fmt(f),
            Self::RequestCallback(callback) => callback.fmt(f),
            Self::Http(call) => call.fmt(f),
        }
    }
}
