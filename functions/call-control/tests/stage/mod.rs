//! The AWS of the webhook's tests, for call-control.

#![allow(dead_code, reason = "the webhook's tests use more of it")]

#[path = "../../../webhook/tests/stage/cloud.rs"]
mod cloud;

use call_control::Settings;
pub(crate) use cloud::Cloud;
use std::time::Duration;
use switchboard::ResolvedAgent;
use switchboard::task_launcher::LaunchSettings;

pub(crate) const TABLE: &str = cloud::TABLE;

const APP_SECRET: &str = "app-secret";

/// Returns settings of a call-control whose vendors cannot be reached.
pub(crate) fn settings() -> Settings {
    Settings {
        table: TABLE.into(),
        meta_secret: "meta".into(),
        media_secret: "media".into(),
        mark_secret: Some("marks".into()),
        graph_url: "http://127.0.0.1:1".into(),
        openai_url: "http://127.0.0.1:1".into(),
        realtime_model: "gpt-realtime-2.1".into(),
        other_line: None,
        agent: ResolvedAgent::built_in(),
        outbox: Some("outbox".into()),
        launch: LaunchSettings {
            cluster: "ahoy".into(),
            family: "media-task".into(),
            subnets: vec![],
            security_groups: vec![],
            leave_after_idle: Duration::from_secs(60),
            most: 1,
        },
    }
}
