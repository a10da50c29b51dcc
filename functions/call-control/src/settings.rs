//! Call-control's settings from the environment, and the secrets they name.

use call::Line;
use openai_calls::client;
use service::env::{Env, SettingError};
use std::time::Duration;
use switchboard::ResolvedAgent;
use switchboard::task_launcher::{LEAVE_AFTER_IDLE, LaunchSettings};
use whatsapp::graph;

/// Settings read from the environment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `TABLE`: the DynamoDB table.
    pub table: String,
    /// `META_SECRET`: name or ARN of the secret with Meta's keys.
    pub meta_secret: String,
    /// `MEDIA_SECRET`: name or ARN of the secret that is shared with the media tasks.
    pub media_secret: String,
    /// `MARK_SECRET`: name or ARN of the secret with the pseudonym key; without it pseudonyms are made with the control API key.
    pub mark_secret: Option<String>,
    /// `GRAPH_URL`: the Graph API's base URL, default `https://graph.facebook.com/v26.0`.
    pub graph_url: String,
    /// `OPENAI_URL`: the base URL of OpenAI's requests about calls, default `https://api.openai.com`.
    pub openai_url: String,
    /// `REALTIME_MODEL`: the model of agents that name none, default `gpt-realtime-2.1`. The media tasks have the same.
    pub realtime_model: String,
    /// `AHOY_LINES`: the line besides WhatsApp on which calls come in, `sip` or none, the default. The media tasks have the same.
    pub other_line: Option<Line>,
    /// `AHOY_AGENT`: the agent file for numbers without an agent of their own, default: the built-in agent.
    pub agent: ResolvedAgent,
    /// `OUTBOX_FUNCTION`: name or ARN of the function that delivers outcomes of calls; without it, its schedule alone does.
    pub outbox: Option<String>,
    /// `CLUSTER`, `TASK_FAMILY`, `SUBNETS`, `SECURITY_GROUPS`: how media tasks are started; `AHOY_LEAVE_AFTER_IDLE_S`: how long such a task
    /// stays without a call, default 600 s; `MAX_TASKS`: the limit of tasks, default none.
    pub launch: LaunchSettings,
}

impl Settings {
    /// Reads the settings.
    ///
    /// # Errors
    /// When one is missing or malformed; names it.
    pub fn from_env(env: &Env) -> Result<Self, SettingError> {
        Ok(Self {
            table: env.required("TABLE")?,
            meta_secret: env.required("META_SECRET")?,
            media_secret: env.required("MEDIA_SECRET")?,
            mark_secret: env.optional("MARK_SECRET").map(str::to_owned),
            graph_url: env.optional("GRAPH_URL").unwrap_or(graph::URL).to_owned(),
            openai_url: env.optional("OPENAI_URL").unwrap_or(client::URL).to_owned(),
            realtime_model: env.optional("REALTIME_MODEL").unwrap_or(realtime::MODEL).to_owned(),
            other_line: env.parsed_if_set("AHOY_LINES")?,
            outbox: env.optional("OUTBOX_FUNCTION").map(str::to_owned),
            agent: env.file("AHOY_AGENT", ResolvedAgent::read)?.unwrap_or_else(ResolvedAgent::built_in),
            launch: LaunchSettings {
                cluster: env.required("CLUSTER")?,
                family: env.required("TASK_FAMILY")?,
                subnets: env.list("SUBNETS"),
                security_groups: env.list("SECURITY_GROUPS"),
                leave_after_idle: Duration::from_secs(env.parsed(LEAVE_AFTER_IDLE, 600)?),
                most: env.parsed("MAX_TASKS", u32::MAX)?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_an_invalid_agent_file_with_variable_line_and_field() {
        let path = std::env::temp_dir().join(format!("ahoy-wrong-agent-{}.toml", std::process::id()));
        std::fs::write(&path, "name = \"shop\"\ninstructions = \"You answer.\"\n[greeting]\nsay = 7\n")
            .unwrap();

        let wrong = with_agent(&path.to_string_lossy());
        std::fs::remove_file(&path).unwrap();

        assert!(wrong.starts_with("AHOY_AGENT is ") && wrong.contains("line 4, greeting.say: "), "{wrong}");
        assert_eq!(wrong.lines().count(), 1);
        assert!(with_agent("/nowhere.toml").contains("No such file"));
    }

    fn with_agent(path: &str) -> String {
        let settings =
            ["TABLE", "META_SECRET", "MEDIA_SECRET", "CLUSTER", "TASK_FAMILY"].map(|name| (name, "x"));
        let settings = [&settings[..], &[("AHOY_AGENT", path)]].concat();
        Settings::from_env(&Env::of(&settings)).expect_err("its agent file is wrong").to_string()
    }
}
