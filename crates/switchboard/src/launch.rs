//! Starts another media task when no slot is free. Once a call: ECS takes a repeated client token for the same request.

use anyhow::Context;
use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, ContainerOverride, KeyValuePair, LaunchType, NetworkConfiguration,
    TaskOverride,
};
use std::time::Duration;

/// The name of the one container in the media task's definition.
pub const CONTAINER: &str = "media-task";

/// What a media task is told that belongs to no service.
pub const LEAVE_AFTER_IDLE: &str = "AHOY_LEAVE_AFTER_IDLE_S";

/// Where and how media tasks are started.
#[derive(Debug, Clone)]
pub struct Launcher {
    client: Client,
    settings: LaunchSettings,
}

/// What `RunTask` wants to know.
#[derive(Debug, Clone)]
pub struct LaunchSettings {
    /// The ECS cluster.
    pub cluster: String,
    /// The family of the media task's definition.
    pub family: String,
    /// Public subnets.
    pub subnets: Vec<String>,
    /// Security groups.
    pub security_groups: Vec<String>,
    /// So long without a call, and a task that was started so leaves.
    pub leave_after_idle: Duration,
    /// So many media tasks there may be, those of the service included.
    pub most: u32,
}

impl Launcher {
    /// Starts tasks as `settings` say.
    pub fn new(client: Client, settings: LaunchSettings) -> Self {
        Self { client, settings }
    }

    /// So many media tasks there may be.
    pub fn most(&self) -> u32 {
        self.settings.most
    }

    /// Starts a media task for a call, at most one. Its ARN.
    ///
    /// # Errors
    /// When ECS does not start it.
    pub async fn launch(&self, call_ref: &str) -> anyhow::Result<String> {
        let network = AwsVpcConfiguration::builder()
            .set_subnets(Some(self.settings.subnets.clone()))
            .set_security_groups(Some(self.settings.security_groups.clone()))
            .assign_public_ip(AssignPublicIp::Enabled)
            .build()
            .expect("the subnets are set");
        let run =
            self.client.run_task().cluster(&self.settings.cluster).task_definition(&self.settings.family);
        let run = run
            .launch_type(LaunchType::Fargate)
            .network_configuration(NetworkConfiguration::builder().awsvpc_configuration(network).build())
            // 64 characters at most: half a call_ref is plenty.
            .client_token(&call_ref[..32])
            .started_by(&call_ref[..32]);
        let run = run.overrides(self.overrides());
        let ran = run.send().await.context("RunTask failed")?;
        if let Some(failure) = ran.failures().first() {
            anyhow::bail!("RunTask failed: {}", failure.reason().unwrap_or("no reason given"));
        }
        let task = ran.tasks().first().context("RunTask started nothing")?;
        Ok(task.task_arn().unwrap_or_default().to_owned())
    }

    /// Tells the task that it belongs to no service: nobody but itself will end it.
    fn overrides(&self) -> TaskOverride {
        let seconds = self.settings.leave_after_idle.as_secs().to_string();
        let told = KeyValuePair::builder().name(LEAVE_AFTER_IDLE).value(seconds).build();
        let container = ContainerOverride::builder().name(CONTAINER).environment(told).build();
        TaskOverride::builder().container_overrides(container).build()
    }
}
