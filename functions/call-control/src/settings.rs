//! What call-control is told by its environment, and by the secrets named there.

use service::env::{Env, SettingError};
use std::time::Duration;
use switchboard::ResolvedAgent;
use switchboard::task_launcher::{LEAVE_AFTER_IDLE, LaunchSettings};
use whatsapp::graph;

/// Call-control's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `TABLE`: the DynamoDB table.
    pub table: String,
    /// `META_SECRET`: name or ARN of the secret with Meta's keys.
    pub meta_secret: String,
    /// `MEDIA_SECRET`: name or ARN of the secret that is shared with the media tasks.
    pub media_secret: String,
    /// `MARK_SECRET`: name or ARN of the secret with the key of marks; without it the doors' key makes them.
    pub mark_secret: Option<String>,
    /// `GRAPH_URL`: where the Graph API is, default `https://graph.facebook.com/v26.0`.
    pub graph_url: String,
    /// `AHOY_AGENT`: the file of the agent that takes the calls of numbers without an agent of their own, default: one that is
    /// built in.
    pub agent: ResolvedAgent,
    /// `CLUSTER`, `TASK_FAMILY`, `SUBNETS`, `SECURITY_GROUPS`: how another media task is started, and
    /// `AHOY_LEAVE_AFTER_IDLE_S`: when it leaves again, default 600 s without a call. `MAX_TASKS`: how many there may be, default:
    /// as many as it takes.
    pub launch: LaunchSettings,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// Which one is missing or malformed.
    pub fn from_env(env: &Env) -> Result<Self, SettingError> {
        Ok(Self {
            table: env.required("TABLE")?,
            meta_secret: env.required("META_SECRET")?,
            media_secret: env.required("MEDIA_SECRET")?,
            mark_secret: env.optional("MARK_SECRET").map(str::to_owned),
            graph_url: env.optional("GRAPH_URL").unwrap_or(graph::URL).to_owned(),
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
    fn a_wrong_agent_file_is_told_in_one_line_with_variable_line_and_field() {
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
