//! The media task's settings, read from environment variables, and the secret that one of them names.

use crate::lateness_meter;
use agents::Agent;
use realtime::connection;
use realtime::tls_roots::TrustedRoots;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use service::env::{Env, SettingError};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;
use std::time::Duration;

/// The control API's default TCP port.
pub(crate) const CONTROL_API_PORT: u16 = 8443;

/// How many calls a task takes per vCPU: half of what one core was measured to carry, since a vCPU may be half a core.
pub(crate) const SLOTS_PER_VCPU: usize = 50;

/// How many SIP calls a task takes: each is a WebSocket with text.
const SIP_SLOTS: usize = 100;

/// An AWS service that returns the caller's public address.
const CHECKIP_URL: &str = "https://checkip.amazonaws.com";

/// The media task's settings, one environment variable each.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `TABLE`: the DynamoDB table's name.
    pub table: String,
    /// `MEDIA_SECRET`: name or ARN of the secret with the control API's key and the model's.
    pub media_secret: String,
    /// `CALL_CONTROL`: name or ARN of the call-control function.
    pub call_control: String,
    /// `OUTBOX_FUNCTION`: the outbox function's name or ARN, which is invoked when there is something for a business; by default its schedule
    /// alone delivers.
    pub outbox: Option<String>,
    /// `AHOY_BIND_IP`: the address that sockets bind, default `0.0.0.0`.
    pub bind_ip: IpAddr,
    /// `AHOY_PUBLIC_IP`: this task's public address, as in SDP answers and the lease. Default: the bound address; if that is
    /// `0.0.0.0`, the address that AWS sees.
    pub public_ip: Option<IpAddr>,
    /// `AHOY_CHECKIP_URL`: the service that returns the address AWS sees, default `https://checkip.amazonaws.com`; in tests one
    /// on loopback.
    pub checkip_url: String,
    /// `AHOY_DOOR_IP`: the control API's address for call-control, where it differs from that for media; default
    /// `AHOY_PUBLIC_IP`. If set, the control API binds it.
    pub control_api_ip: Option<IpAddr>,
    /// `AHOY_DOOR_PORT`: the control API's TCP port, default 8443; 0 takes a free one.
    pub control_api_port: u16,
    /// `AHOY_SLOTS`: how many calls this task takes at once, default 50 per vCPU.
    pub slots: Option<usize>,
    /// `AHOY_LINES`: the lines besides WhatsApp whose calls this task takes, `sip` or none, the default.
    pub takes_sip_calls: bool,
    /// `AHOY_SIP_SLOTS`: how many SIP calls this task takes at once besides, default 100.
    pub sip_slots: usize,
    /// `AHOY_LATEST_MS`: the p99 lateness of frames, in ms, from which the task takes no more calls, default 10; over 31 is no
    /// limit.
    pub overload_ms: usize,
    /// `AHOY_STOP_TIMEOUT_S`: how long after SIGTERM ECS kills this task, default 120 s as in the task definition.
    pub stop_timeout: Duration,
    /// `AHOY_LEAVE_AFTER_IDLE_S`: how long without calls until the task exits. Call-control sets it for tasks of no service,
    /// which nothing else ends.
    pub leave_after_idle: Option<Duration>,
    /// The Realtime API and model that agents use.
    pub model: ModelSettings,
    /// `AHOY_AGENT`: the agent file for numbers that have no agent of their own; default is the built-in agent.
    pub agent: Agent,
}

/// The Realtime API and model that agents use.
#[derive(Debug, Clone)]
pub struct ModelSettings {
    /// `REALTIME_URL`: the Realtime API, default `wss://api.openai.com/v1/realtime`.
    pub url: String,
    /// `REALTIME_MODEL`: the model of agents that name none, default `gpt-realtime-2.1`.
    pub name: String,
    /// `REALTIME_CA_FILE`: a PEM file of root certificates to trust besides the public ones, for a private gateway.
    pub trust: TrustedRoots,
}

impl Settings {
    /// Reads the settings from the environment.
    ///
    /// # Errors
    /// Names the setting that is missing or malformed.
    pub fn from_env(env: &Env) -> Result<Self, SettingError> {
        Ok(Self {
            table: env.required("TABLE")?,
            media_secret: env.required("MEDIA_SECRET")?,
            call_control: env.required("CALL_CONTROL")?,
            outbox: env.optional("OUTBOX_FUNCTION").map(str::to_owned),
            bind_ip: env.parsed("AHOY_BIND_IP", IpAddr::V4(Ipv4Addr::UNSPECIFIED))?,
            public_ip: env.parsed_if_set("AHOY_PUBLIC_IP")?,
            checkip_url: env.optional("AHOY_CHECKIP_URL").unwrap_or(CHECKIP_URL).to_owned(),
            control_api_ip: env.parsed_if_set("AHOY_DOOR_IP")?,
            control_api_port: env.parsed("AHOY_DOOR_PORT", CONTROL_API_PORT)?,
            slots: env.parsed_if_set("AHOY_SLOTS")?,
            takes_sip_calls: env.parsed("AHOY_LINES", Lines::default())?.0,
            sip_slots: env.parsed("AHOY_SIP_SLOTS", SIP_SLOTS)?,
            overload_ms: env.parsed("AHOY_LATEST_MS", lateness_meter::OVERLOADED_MS)?,
            stop_timeout: Duration::from_secs(env.parsed("AHOY_STOP_TIMEOUT_S", 120)?),
            leave_after_idle: env.parsed_if_set("AHOY_LEAVE_AFTER_IDLE_S")?.map(Duration::from_secs),
            model: ModelSettings::from_env(env)?,
            agent: env.file("AHOY_AGENT", Agent::read)?.unwrap_or_else(Agent::built_in),
        })
    }

    /// Returns how many calls a task with that many vCPUs takes at once.
    pub fn slots(&self, vcpus: Option<f64>) -> usize {
        self.slots.unwrap_or_else(|| slots_on(vcpus))
    }

    /// Returns how many SIP calls a task takes at once.
    pub fn sip_slots(&self) -> usize {
        if self.takes_sip_calls { self.sip_slots } else { 0 }
    }
}

/// Whether the lines of `AHOY_LINES` include SIP.
#[derive(Debug, Clone, Copy, Default)]
struct Lines(bool);

impl FromStr for Lines {
    type Err = &'static str;

    fn from_str(lines: &str) -> Result<Self, Self::Err> {
        match lines {
            "" => Ok(Self(false)),
            "sip" => Ok(Self(true)),
            _ => Err("the only other line is `sip`"),
        }
    }
}

impl ModelSettings {
    /// Reads the settings from the environment.
    ///
    /// # Errors
    /// When `REALTIME_CA_FILE` cannot be read, or holds no certificate.
    pub fn from_env(env: &Env) -> Result<Self, SettingError> {
        Ok(Self {
            url: env.optional("REALTIME_URL").unwrap_or(connection::URL).to_owned(),
            name: env.optional("REALTIME_MODEL").unwrap_or(connection::MODEL).to_owned(),
            trust: env.file("REALTIME_CA_FILE", TrustedRoots::from_pem)?.unwrap_or_default(),
        })
    }
}

/// Returns the default number of calls for that many vCPUs.
fn slots_on(vcpus: Option<f64>) -> usize {
    let slots = SLOTS_PER_VCPU as f64 * vcpus.unwrap_or(1.0);
    (slots as usize).max(1)
}

/// The media tasks' secret, as far as a task reads it.
#[derive(Debug, Clone, Deserialize)]
pub struct MediaSecret {
    /// The HMAC key of requests to the control API.
    pub door_key: SecretString,
    /// The previous key, while a function may still sign with it.
    #[serde(default)]
    pub previous_door_key: Option<SecretString>,
    /// The API key of OpenAI's Realtime API.
    pub openai_api_key: SecretString,
    /// Secrets that agent files name: keys that sign requests to HTTP tools, and credentials of MCP servers.
    #[serde(default)]
    pub tool_secrets: BTreeMap<String, SecretString>,
}

impl MediaSecret {
    /// Returns the keys that requests to the control API may be signed with.
    pub fn control_api_keys(&self) -> Vec<&[u8]> {
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
    fn unset_settings_have_defaults() {
        let settings = Settings::from_env(&Env::of(&ENOUGH)).expect("nothing is missing");

        assert_eq!(settings.model.name, "gpt-realtime-2.1");
        assert_eq!((settings.control_api_port, settings.slots(Some(1.0))), (8443, 50));
        assert_eq!((settings.stop_timeout, settings.leave_after_idle), (Duration::from_secs(120), None));
    }

    #[test]
    fn slots_follow_the_vcpus_unless_set() {
        let settings = Settings::from_env(&Env::of(&ENOUGH)).expect("nothing is missing");

        let slots = [Some(0.25), Some(2.0), Some(0.001), None].map(|vcpus| settings.slots(vcpus));
        assert_eq!(slots, [12, 100, 1, 50]);

        let set = Settings { slots: Some(7), ..settings };
        assert_eq!(set.slots(Some(0.25)), 7);
    }

    #[test]
    fn sip_calls_are_taken_only_where_the_line_is_on() {
        let sip_slots = |set: &[(&str, &str)]| {
            let env = [&ENOUGH[..], set].concat();
            Settings::from_env(&Env::of(&env))
                .map(|settings| settings.sip_slots())
                .map_err(|error| error.to_string())
        };

        assert_eq!(sip_slots(&[]), Ok(0));
        assert_eq!(sip_slots(&[("AHOY_SIP_SLOTS", "7")]), Ok(0));
        assert_eq!(sip_slots(&[("AHOY_LINES", "sip")]), Ok(100));
        assert_eq!(sip_slots(&[("AHOY_LINES", "sip"), ("AHOY_SIP_SLOTS", "7")]), Ok(7));
        assert!(sip_slots(&[("AHOY_LINES", "fax")]).is_err_and(|error| error.contains("AHOY_LINES")));
    }

    #[test]
    fn a_missing_agent_file_is_named() {
        let mut settings = ENOUGH.to_vec();
        settings.push(("AHOY_AGENT", "/nowhere/agent.toml"));

        let wrong = Settings::from_env(&Env::of(&settings)).expect_err("there is no such file");

        assert!(
            wrong.to_string().starts_with(r#"AHOY_AGENT is "/nowhere/agent.toml": No such file"#),
            "{wrong}"
        );
    }
}
