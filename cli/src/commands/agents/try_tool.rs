//! `ahoy agents try FILE TOOL '{…}'`: sends one request of an HTTP tool as a call would, and prints what the model would get.

use crate::agent_file::AgentFile;
use crate::output::{self, BAD, GOOD, styled};
use crate::prompt::{confirm, is_interactive};
use crate::{Common, cloud};
use agents::{HttpTool, Tools};
use anyhow::Context;
use call::{CallerDetails, Line};
use clap::Args;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use service::env::Env;
use service::secrets::Secret;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use tools::{CallContext, ToolOutcome, ToolOutcomeKind, ToolUse, Toolbox};

/// Where a tool's secret may be in the environment, as for `make serve`.
const KEY_VARIABLE: &str = "AHOY_TOOL_SECRET_";

/// What stands for the call's reference and the business number in the body.
const TRY: &str = "try";

#[derive(Debug, Args)]
pub(crate) struct Try {
    /// The agent file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The name of an HTTP tool in it.
    #[arg(value_name = "TOOL")]
    tool: String,
    /// The arguments as JSON, as the model would write them.
    #[arg(value_name = "ARGUMENTS", default_value = "{}")]
    arguments: String,
    /// Send it without asking.
    #[arg(long)]
    yes: bool,
    /// The caller's number that a tool with `tells_caller` gets, as +E.164.
    #[arg(long, value_name = "NUMBER", value_parser = caller)]
    caller: Option<CallerNumber>,
    /// The secret with the media tasks' keys, by name or ARN [default: the stack's, such as ahoy/media]. `AHOY_TOOL_SECRET_<NAME>` takes precedence.
    #[arg(long, env = "MEDIA_SECRET", value_name = "SECRET")]
    media_secret: Option<String>,
}

/// The digits of a caller's number, which no output shows.
#[derive(Clone)]
struct CallerNumber(String);

impl std::fmt::Debug for CallerNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CallerNumber")
    }
}

/// The media tasks' secret, as far as tools need it.
#[derive(Clone, Deserialize)]
struct ToolSecrets {
    #[serde(default)]
    tool_secrets: BTreeMap<String, SecretString>,
}

/// The JSON output.
#[derive(Serialize)]
struct Tried<'a> {
    tool: &'a str,
    outcome: &'static str,
    took_ms: u128,
    for_the_model: &'a str,
}

impl Try {
    /// Runs the command; the exit code is 1 unless the tool did what it was asked.
    pub(crate) async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let file = match AgentFile::read(&self.file) {
            Ok(file) => file,
            Err(wrong) => {
                output::error_line(wrong);
                return Ok(ExitCode::FAILURE);
            }
        };
        let Some(tool) = file.agent.tools.http.iter().find(|tool| tool.name == self.tool) else {
            output::error_line(no_such_tool(&self.tool, &file.agent.tools));
            return Ok(ExitCode::from(service::WRONG_SETTINGS));
        };
        let toolbox = self.toolbox(tool, &file.agent.tools, common).await?;
        let call = match toolbox.read(&tool.name, &self.arguments) {
            Ok(ToolUse::Http(call)) => call,
            Ok(_) => unreachable!("an HTTP tool has this name"),
            Err(refused) => return Ok(self.print(common, &ToolOutcome::from(refused), 0)),
        };
        if !(self.yes || confirm_request(tool)?) {
            output::error_line("Nothing was sent.");
            return Ok(ExitCode::FAILURE);
        }
        let details = CallerDetails {
            number: self.caller.as_ref().map(|number| number.0.clone()),
            ..CallerDetails::default()
        };
        let context =
            CallContext::new(TRY, TRY, &*file.agent.name).with_caller(Line::WhatsApp, details).of_try();
        let began = Instant::now();
        // Receivers tell a repeat from a second use by this id.
        let outcome = call.run(&context, &format!("{TRY}_{}", service::time::now_ms())).await;
        Ok(self.print(common, &outcome, began.elapsed().as_millis()))
    }

    /// Prepares the one tool, with its secret from the environment, else from the deployment.
    async fn toolbox(&self, tool: &HttpTool, tools: &Tools, common: &Common) -> anyhow::Result<Toolbox> {
        let mut secrets = BTreeMap::new();
        if let Some(name) = &tool.sign_with {
            let variable = format!("{KEY_VARIABLE}{}", name.to_uppercase());
            match Env::of_process().secret(&variable) {
                Some(key) => drop(secrets.insert(name.clone(), key)),
                None => secrets = self.deployed_secrets(common).await.with_context(|| {
                    format!("cannot sign with {name}: set {variable}, or name the media secret with --media-secret")
                })?,
            }
        }
        let one = Tools {
            end_call: false,
            send_whatsapp_message: false,
            transfer: None,
            http: vec![tool.clone()],
            mcp: vec![],
            ..tools.clone()
        };
        Ok(Toolbox::new(&one, &secrets)?)
    }

    async fn deployed_secrets(&self, common: &Common) -> anyhow::Result<BTreeMap<String, SecretString>> {
        let config = service::cloud::config().await;
        if config.region().is_none() {
            anyhow::bail!(cloud::NO_REGION);
        }
        let secret = Secret::<ToolSecrets>::fetch(
            &config,
            &common.name_or_default(self.media_secret.as_ref(), "/media"),
        )
        .await?;
        Ok(secret.value().tool_secrets.clone())
    }

    fn print(&self, common: &Common, outcome: &ToolOutcome, took_ms: u128) -> ExitCode {
        let is_done = outcome.kind == ToolOutcomeKind::Done;
        let word = outcome.kind.as_str();
        if common.json {
            output::json(&Tried {
                tool: &self.tool,
                outcome: word,
                took_ms,
                for_the_model: &outcome.for_the_model,
            });
        } else {
            let word = styled(if is_done { GOOD } else { BAD }, word);
            output::error_line(format!("{}: {word} after {took_ms} ms. The model would get:", self.tool));
            output::line(&outcome.for_the_model);
        }
        if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn no_such_tool(name: &str, tools: &Tools) -> String {
    let names: Vec<&str> = tools.http.iter().map(|tool| tool.name.as_str()).collect();
    match names.is_empty() {
        true => format!("{name} cannot be tried: the file has no HTTP tool"),
        false => format!("{name} cannot be tried: the file's HTTP tools are {}", names.join(", ")),
    }
}

/// Asks for confirmation on the terminal.
///
/// # Errors
/// When there is no terminal.
fn confirm_request(tool: &HttpTool) -> anyhow::Result<bool> {
    if !is_interactive() {
        anyhow::bail!("there is no terminal to ask on: use --yes to send the request");
    }
    let signed = tool.sign_with.as_ref().map_or("unsigned".to_owned(), |name| format!("signed with {name}"));
    let (method, host) =
        (format!("{:?}", tool.method).to_uppercase(), tool.url.host_str().unwrap_or_default());
    Ok(confirm(&format!("This uses {} for real: a {method} to {host}, {signed}. Send it?", tool.name)))
}

/// Parses a caller's number, without repeating it.
fn caller(text: &str) -> Result<CallerNumber, String> {
    let wrong = || "this is no telephone number: + and 5 to 15 digits, country code first".to_owned();
    openai_calls::digits(text.trim()).map(CallerNumber).ok_or_else(wrong)
}
