//! The product alone on this machine: no simulators. With a tunnel and real keys it answers real calls.

use crate::binaries::Binaries;
use crate::stack::{Stack, StackConfig};
use secrecy::SecretString;
use service::env::{Env, SettingError};
use service::shutdown;
use sim_aws::Logs;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

/// Where the webhook listens unless told otherwise.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Runs the product until told to stop. The processes' logs, calls among them, go to standard error.
///
/// # Errors
/// Which setting is wrong, or what could not be started: a port that is in use, say.
pub async fn serve(env: &Env) -> anyhow::Result<()> {
    let config = settings(env)?;
    let listen = env.parsed("AHOY_LISTEN", LISTEN)?;
    let graph = config.graph_url.clone();
    let model = config.realtime_url.clone();
    let numbers = config.numbers.join(", ");
    let binaries = Binaries::build().await?;
    let stack = Stack::start(config, &binaries).await?;
    let webhook = stack.cloud.listen_at("webhook", listen).await?;
    say(&format!("webhook   http://{webhook}/webhook"));
    say(&format!("graph     {}", graph.as_deref().unwrap_or("https://graph.facebook.com/v26.0")));
    say(&format!("realtime  {}", model.as_deref().unwrap_or("wss://api.openai.com/v1/realtime")));
    say(&format!("aws       {}", stack.cloud.endpoint()));
    say(&format!("numbers   {numbers}"));
    let ahoy = command(&stack.cloud.environment(), stack.store.table(), &shown(&binaries.path("ahoy")));
    say(&format!("agents    {ahoy}"));
    say("ready     one media task waits for calls; Ctrl-C ends it");
    shutdown::requested().await;
    say("stopping");
    stack.stop().await;
    Ok(())
}

/// How the `ahoy` command is run against this cloud, ready to be pasted into a terminal. No setting in it needs quotes.
fn command(environment: &BTreeMap<String, String>, table: &str, ahoy: &str) -> String {
    let set: Vec<_> = environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{} TABLE={table} {ahoy} agents list", set.join(" "))
}

/// A program as one types it here: from this folder where it is below it, in quotes where it needs them.
fn shown(program: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let shown = program.strip_prefix(here).unwrap_or(program).display().to_string();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
    if shown.chars().all(is_plain) { shown } else { format!("'{shown}'") }
}

fn settings(env: &Env) -> Result<StackConfig, SettingError> {
    let secret = |name: &'static str| env.secret(name).ok_or(SettingError::Missing(name));
    let numbers = env.list("AHOY_NUMBERS");
    if numbers.is_empty() {
        return Err(SettingError::Missing("AHOY_NUMBERS"));
    }
    let bind_ip = env.parsed("AHOY_BIND_IP", IpAddr::V4(Ipv4Addr::UNSPECIFIED))?;
    if bind_ip.is_unspecified() {
        env.required("AHOY_PUBLIC_IP")?;
    }
    // Others read it too, but there it would only be a line in a log.
    env.file("AHOY_AGENT", agents::Agent::read)?;
    Ok(StackConfig {
        app_secret: secret("META_APP_SECRET")?,
        verify_token: secret("META_VERIFY_TOKEN")?,
        access_token: secret("META_ACCESS_TOKEN")?,
        openai_api_key: secret("OPENAI_API_KEY")?,
        control_api_key: None,
        tool_secrets: tool_secrets(env),
        graph_url: env.optional("GRAPH_URL").map(str::to_owned),
        realtime_url: env.optional("REALTIME_URL").map(str::to_owned),
        realtime_model: env.optional("REALTIME_MODEL").map(str::to_owned),
        numbers,
        tasks: 1,
        sip: None,
        more: BTreeMap::from([("media-task".to_owned(), passed_on(env))]),
        ring_seconds: env.parsed_if_set("AHOY_RING_SECONDS")?,
        agent: env.optional("AHOY_AGENT").map(str::to_owned),
        public_ip: env.parsed("AHOY_PUBLIC_IP", bind_ip)?,
        bind_ip,
        logs: Logs::Inherited,
    })
}

/// What the media task alone understands.
fn passed_on(env: &Env) -> BTreeMap<String, String> {
    let names = ["REALTIME_CA_FILE", "AHOY_SLOTS", "AHOY_LATEST_MS"];
    names.into_iter().filter_map(|name| Some((name.to_owned(), env.optional(name)?.to_owned()))).collect()
}

/// What agent files name by `sign_with = "shop"` is `AHOY_TOOL_SECRET_SHOP` here.
fn tool_secrets(env: &Env) -> BTreeMap<String, SecretString> {
    let named = env.beginning_with("AHOY_TOOL_SECRET_").into_iter();
    named.map(|(name, secret)| (name, SecretString::from(secret))).collect()
}

#[allow(clippy::print_stdout, reason = "this is what the command is for")]
fn say(line: &str) {
    println!("{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_for_the_command_can_be_pasted() {
        let environment = [("AWS_REGION", "us-east-1"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();

        assert_eq!(
            command(&environment, "ahoy", &shown(Path::new("/some where/ahoy"))),
            "AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_REGION=us-east-1 TABLE=ahoy '/some where/ahoy' agents list"
        );
    }
}
