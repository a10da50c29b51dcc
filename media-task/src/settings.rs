//! What the media task is told by its environment, and by the secret named there.

use crate::load;
use agents::Agent;
use realtime::connection;
use realtime::trust::Trust;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use service::env::{Env, WrongSetting};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

/// The media task's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `TABLE`: the DynamoDB table.
    pub table: String,
    /// `MEDIA_SECRET`: name or ARN of the secret with the door's key and the model's.
    pub media_secret: String,
    /// `CALL_CONTROL`: name or ARN of the function that acts on calls.
    pub call_control: String,
    /// `AHOY_BIND_IP`: what sockets bind, default `0.0.0.0`.
    pub bind_ip: IpAddr,
    /// `AHOY_PUBLIC_IP`: where the world reaches this task: what answers and the lease say.
    pub public_ip: IpAddr,
    /// `AHOY_DOOR_IP`: where call-control reaches the door, when that is not where callers' sound comes in; default
    /// `AHOY_PUBLIC_IP`. The door is bound to it, if it is set.
    pub door_ip: Option<IpAddr>,
    /// `AHOY_DOOR_PORT`: the door's TCP port, default 8443; 0 takes a free one.
    pub door_port: u16,
    /// `AHOY_SLOTS`: how many calls at once, default 50.
    pub slots: usize,
    /// `AHOY_LATEST_MS`: so late, at p99, frames may be before no more calls are taken, default 10; over 31 is no limit.
    pub latest_ms: usize,
    /// Behind which model agents answer.
    pub model: ModelSettings,
    /// `AHOY_AGENT`: the file of the agent for numbers that have none of their own; without it one that is built in.
    pub agent: Agent,
}

/// Behind which model agents answer.
#[derive(Debug, Clone)]
pub struct ModelSettings {
    /// `REALTIME_URL`: default `wss://api.openai.com/v1/realtime`.
    pub url: String,
    /// `REALTIME_MODEL`: the model of agents that name none, default `gpt-realtime-2.1`.
    pub name: String,
    /// `REALTIME_CA_FILE`: a PEM file of root certificates to believe besides the web's, for a gateway of one's own.
    pub trust: Trust,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// Which one is missing or malformed.
    pub fn from_env(env: &Env) -> Result<Self, WrongSetting> {
        let bind_ip = env.parsed("AHOY_BIND_IP", IpAddr::V4(Ipv4Addr::UNSPECIFIED))?;
        Ok(Self {
            table: env.required("TABLE")?,
            media_secret: env.required("MEDIA_SECRET")?,
            call_control: env.required("CALL_CONTROL")?,
            public_ip: public_ip(env, bind_ip)?,
            bind_ip,
            door_ip: env.parsed_if_set("AHOY_DOOR_IP")?,
            door_port: env.parsed("AHOY_DOOR_PORT", 8443)?,
            slots: env.parsed("AHOY_SLOTS", 50)?,
            latest_ms: env.parsed("AHOY_LATEST_MS", load::OVERLOADED)?,
            model: ModelSettings::from_env(env)?,
            agent: env.file("AHOY_AGENT", Agent::read)?.unwrap_or_else(Agent::built_in),
        })
    }
}

impl ModelSettings {
    /// Reads them.
    ///
    /// # Errors
    /// When the roots cannot be read.
    pub fn from_env(env: &Env) -> Result<Self, WrongSetting> {
        Ok(Self {
            url: env.optional("REALTIME_URL").unwrap_or(connection::URL).to_owned(),
            name: env.optional("REALTIME_MODEL").unwrap_or(connection::MODEL).to_owned(),
            trust: env.file("REALTIME_CA_FILE", Trust::with)?.unwrap_or_default(),
        })
    }
}

/// A socket bound to one address is reached there; one bound to all of them must be told where.
fn public_ip(env: &Env, bind_ip: IpAddr) -> Result<IpAddr, WrongSetting> {
    if env.optional("AHOY_PUBLIC_IP").is_none() && bind_ip.is_unspecified() {
        return Err(WrongSetting::Missing("AHOY_PUBLIC_IP"));
    }
    env.parsed("AHOY_PUBLIC_IP", bind_ip)
}

/// The part of the media tasks' secret that a task reads.
#[derive(Debug, Clone, Deserialize)]
pub struct MediaSecret {
    /// Seals requests at the door.
    pub door_key: SecretString,
    /// The one before it, while a function may still seal with it.
    #[serde(default)]
    pub previous_door_key: Option<SecretString>,
    /// The model's key.
    pub openai_api_key: SecretString,
    /// What agent files name: keys that sign requests to HTTP tools, and what opens MCP servers.
    #[serde(default)]
    pub tool_secrets: BTreeMap<String, SecretString>,
}

impl MediaSecret {
    /// The keys that open the door.
    pub fn door_keys(&self) -> Vec<&[u8]> {
        let both = [Some(&self.door_key), self.previous_door_key.as_ref()];
        both.into_iter().flatten().map(|key| key.expose_secret().as_bytes()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENOUGH: [(&str, &str); 4] =
        [("TABLE", "t"), ("MEDIA_SECRET", "s"), ("CALL_CONTROL", "c"), ("AHOY_PUBLIC_IP", "203.0.113.10")];

    #[test]
    fn what_is_not_set_has_a_default() {
        let settings = Settings::from_env(&Env::of(&ENOUGH)).expect("nothing is missing");

        assert_eq!(settings.model.name, "gpt-realtime-2.1");
        assert_eq!((settings.door_port, settings.slots), (8443, 50));
    }

    #[test]
    fn a_task_that_does_not_know_its_address_says_so() {
        let missing = Settings::from_env(&Env::of(&ENOUGH[..3])).expect_err("the address is missing");

        assert_eq!(missing.to_string(), "AHOY_PUBLIC_IP is not set");
    }

    #[test]
    fn an_agent_file_that_is_not_there_is_named() {
        let mut settings = ENOUGH.to_vec();
        settings.push(("AHOY_AGENT", "/nowhere/agent.toml"));

        let wrong = Settings::from_env(&Env::of(&settings)).expect_err("there is no such file");

        assert!(
            wrong.to_string().starts_with(r#"AHOY_AGENT is "/nowhere/agent.toml": No such file"#),
            "{wrong}"
        );
    }
}
