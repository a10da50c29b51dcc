//! What the media task is told by its environment, and by the secret named there.

use crate::lateness_meter;
use agents::Agent;
use realtime::connection;
use realtime::tls_roots::TrustedRoots;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use service::env::{Env, SettingError};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// The door's TCP port, unless another is set.
pub const DOOR_PORT: u16 = 8443;

/// So many calls a vCPU takes: half of what one core was measured to carry, of which a vCPU may be half.
pub const SLOTS_PER_VCPU: usize = 50;

/// Where AWS says from which address it is asked.
const CHECKIP_URL: &str = "https://checkip.amazonaws.com";

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
    /// `AHOY_PUBLIC_IP`: where the world reaches this task: what answers and the lease say. Without it, what sockets bind;
    /// if that is every address, what AWS sees.
    pub public_ip: Option<IpAddr>,
    /// `AHOY_CHECKIP_URL`: who is asked for that, default `https://checkip.amazonaws.com`; in tests somebody on loopback.
    pub checkip_url: String,
    /// `AHOY_DOOR_IP`: where call-control reaches the door, when that is not where callers' sound comes in; default
    /// `AHOY_PUBLIC_IP`. The door is bound to it, if it is set.
    pub door_ip: Option<IpAddr>,
    /// `AHOY_DOOR_PORT`: the door's TCP port, default 8443; 0 takes a free one.
    pub door_port: u16,
    /// `AHOY_SLOTS`: how many calls at once, default 50 for each vCPU.
    pub slots: Option<usize>,
    /// `AHOY_LATEST_MS`: so late, at p99, frames may be before no more calls are taken, default 10; over 31 is no limit.
    pub latest_ms: usize,
    /// `AHOY_STOP_TIMEOUT_S`: so long after SIGTERM ECS kills this task, default 120 s as in the task definition.
    pub stop_timeout: Duration,
    /// `AHOY_LEAVE_AFTER_IDLE_S`: so long without a call, and the task leaves. Set for tasks that belong to no service, by
    /// whoever starts them: nobody else ends those.
    pub leave_after_idle: Option<Duration>,
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
    pub trust: TrustedRoots,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// Which one is missing or malformed.
    pub fn from_env(env: &Env) -> Result<Self, SettingError> {
        Ok(Self {
            table: env.required("TABLE")?,
            media_secret: env.required("MEDIA_SECRET")?,
            call_control: env.required("CALL_CONTROL")?,
            bind_ip: env.parsed("AHOY_BIND_IP", IpAddr::V4(Ipv4Addr::UNSPECIFIED))?,
            public_ip: env.parsed_if_set("AHOY_PUBLIC_IP")?,
            checkip_url: env.optional("AHOY_CHECKIP_URL").unwrap_or(CHECKIP_URL).to_owned(),
            door_ip: env.parsed_if_set("AHOY_DOOR_IP")?,
            door_port: env.parsed("AHOY_DOOR_PORT", DOOR_PORT)?,
            slots: env.parsed_if_set("AHOY_SLOTS")?,
            latest_ms: env.parsed("AHOY_LATEST_MS", lateness_meter::OVERLOADED)?,
            stop_timeout: Duration::from_secs(env.parsed("AHOY_STOP_TIMEOUT_S", 120)?),
            leave_after_idle: env.parsed_if_set("AHOY_LEAVE_AFTER_IDLE_S")?.map(Duration::from_secs),
            model: ModelSettings::from_env(env)?,
            agent: env.file("AHOY_AGENT", Agent::read)?.unwrap_or_else(Agent::built_in),
        })
    }

    /// How many calls a task with so many vCPUs takes at once.
    pub fn slots(&self, vcpus: Option<f64>) -> usize {
        self.slots.unwrap_or_else(|| slots_on(vcpus))
    }
}

impl ModelSettings {
    /// Reads them.
    ///
    /// # Errors
    /// When the roots cannot be read.
    pub fn from_env(env: &Env) -> Result<Self, SettingError> {
        Ok(Self {
            url: env.optional("REALTIME_URL").unwrap_or(connection::URL).to_owned(),
            name: env.optional("REALTIME_MODEL").unwrap_or(connection::MODEL).to_owned(),
            trust: env.file("REALTIME_CA_FILE", TrustedRoots::from_pem)?.unwrap_or_default(),
        })
    }
}

/// How many calls a task with so many vCPUs takes, if nobody says.
fn slots_on(vcpus: Option<f64>) -> usize {
    let slots = SLOTS_PER_VCPU as f64 * vcpus.unwrap_or(1.0);
    (slots as usize).max(1)
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
        assert_eq!((settings.door_port, settings.slots(Some(1.0))), (8443, 50));
        assert_eq!((settings.stop_timeout, settings.leave_after_idle), (Duration::from_secs(120), None));
    }

    #[test]
    fn a_task_takes_as_many_calls_as_its_cpu_carries_unless_it_is_told() {
        let settings = Settings::from_env(&Env::of(&ENOUGH)).expect("nothing is missing");

        let slots = [Some(0.25), Some(2.0), Some(0.001), None].map(|vcpus| settings.slots(vcpus));
        assert_eq!(slots, [12, 100, 1, 50]);

        let told = Settings { slots: Some(7), ..settings };
        assert_eq!(told.slots(Some(0.25)), 7);
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
