//! Starts a media task with ECS `RunTask` when no slot is free, at most one per call.
//!
//! ECS answers a repeated client token for the same request from memory. A refused request is therefore repeated under the next token, or
//! the refusal would be repeated; a throttled one, or one whose outcome is unknown, under the same, or a second task might start.
//!
//! Spec: "Ensuring idempotency" in the Amazon ECS API reference.

use aws_sdk_ecs::Client;
use aws_sdk_ecs::config::Config;
use aws_sdk_ecs::config::retry::RetryConfig;
use aws_sdk_ecs::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_ecs::operation::run_task::RunTaskError;
use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, ContainerOverride, KeyValuePair, LaunchType, NetworkConfiguration,
    TaskOverride,
};
use call::CallRef;
use std::time::Duration;

/// The name of the only container in the media task's definition.
const CONTAINER: &str = "media-task";

/// Prefixes of the error codes that mean too many requests.
const THROTTLED: [&str; 4] = ["Throttling", "ThrottledException", "TooManyRequests", "RequestLimitExceeded"];

/// The environment variable that makes a task outside the service leave when idle, seconds.
pub const LEAVE_AFTER_IDLE: &str = "AHOY_LEAVE_AFTER_IDLE_S";

/// Starts media tasks.
#[derive(Debug, Clone)]
pub struct TaskLauncher {
    client: Client,
    settings: LaunchSettings,
}

/// The parameters of `RunTask`.
#[derive(Debug, Clone)]
pub struct LaunchSettings {
    /// The ECS cluster's name or ARN.
    pub cluster: String,
    /// The family of the media task's definition.
    pub family: String,
    /// The public subnets to place tasks in.
    pub subnets: Vec<String>,
    /// The tasks' security groups.
    pub security_groups: Vec<String>,
    /// How long a launched task stays without a call.
    pub leave_after_idle: Duration,
    /// The limit of media tasks, those of the service included.
    pub most: u32,
}

/// The reason why no task is known to have started.
#[derive(Debug)]
pub(crate) enum LaunchError {
    /// ECS refused the request: no task started under that token.
    Refused(String),
    /// ECS throttled the request: no task started, and the same request may still succeed.
    Throttled(String),
    /// ECS did not answer: a task may be starting.
    Unknown(String),
}

impl std::fmt::Display for LaunchError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(reason) => write!(formatter, "RunTask refused: {reason}"),
            Self::Throttled(reason) => write!(formatter, "RunTask throttled: {reason}"),
            Self::Unknown(reason) => write!(formatter, "RunTask not answered: {reason}"),
        }
    }
}

impl TaskLauncher {
    /// Returns a launcher with these settings.
    pub fn new(client: Client, settings: LaunchSettings) -> Self {
        Self { client, settings }
    }

    /// Returns the limit of media tasks.
    pub(crate) fn most(&self) -> u32 {
        self.settings.most
    }

    /// Starts at most one media task for a call, and returns its ARN. `refusals` is how often ECS has refused one for this call, in any
    /// process: it selects the client token.
    ///
    /// # Errors
    /// When ECS refuses or throttles the request, or does not answer.
    pub(crate) async fn launch(&self, call_ref: &CallRef, refusals: u32) -> Result<String, LaunchError> {
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
            .client_token(token(call_ref, refusals))
            .started_by(&call_ref.as_str()[..32]);
        // The SDK's own retries would repeat a refused token.
        let once = Config::builder().retry_config(RetryConfig::disabled());
        let run = run.overrides(self.overrides()).customize().config_override(once);
        let ran = run.send().await.map_err(not_launched)?;
        if let Some(failure) = ran.failures().first() {
            let reason = failure.reason().unwrap_or("no reason given");
            return Err(LaunchError::Refused(reason.to_owned()));
        }
        let task =
            ran.tasks().first().ok_or_else(|| LaunchError::Refused("no task in the reply".to_owned()))?;
        Ok(task.task_arn().unwrap_or_default().to_owned())
    }

    /// Tells the task to leave when idle: outside the service, ECS does not stop it.
    fn overrides(&self) -> TaskOverride {
        let seconds = self.settings.leave_after_idle.as_secs().to_string();
        let variable = KeyValuePair::builder().name(LEAVE_AFTER_IDLE).value(seconds).build();
        let container = ContainerOverride::builder().name(CONTAINER).environment(variable).build();
        TaskOverride::builder().container_overrides(container).build()
    }
}

/// Returns the client token of an attempt, the same in any invocation. ECS allows 64 characters; half a `call_ref` is unique enough.
fn token(call_ref: &CallRef, refusals: u32) -> String {
    let call = &call_ref.as_str()[..32];
    if refusals == 0 { call.to_owned() } else { format!("{call}-{refusals}") }
}

/// Classifies an error: a 4xx status is a refusal unless it is throttling; after any other failure a task may be starting.
fn not_launched(error: SdkError<RunTaskError>) -> LaunchError {
    let status = error.raw_response().map(|response| response.status().as_u16());
    let is_throttled =
        error.code().is_some_and(|code| THROTTLED.iter().any(|throttled| code.starts_with(throttled)));
    let message = DisplayErrorContext(&error).to_string();
    match status {
        Some(429) => LaunchError::Throttled(message),
        Some(400..500) if is_throttled => LaunchError::Throttled(message),
        Some(400..500) => LaunchError::Refused(message),
        Some(_) | None => LaunchError::Unknown(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn throttling_is_told_apart_from_refusal() {
        for (status, code, is_throttled) in [
            (400, "ThrottlingException", true),
            (429, "", true),
            (400, "ClientException", false),
            (400, "AccessDeniedException", false),
        ] {
            let error = launcher(status, code).await.launch(&"0".repeat(64).into(), 0).await.unwrap_err();

            assert_eq!(matches!(error, LaunchError::Throttled(_)), is_throttled, "{code}: {error}");
            assert_eq!(matches!(error, LaunchError::Refused(_)), !is_throttled, "{code}: {error}");
        }
    }

    /// Returns a launcher whose ECS refuses every request.
    async fn launcher(status: u16, code: &'static str) -> TaskLauncher {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("there is a port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let status = axum::http::StatusCode::from_u16(status).expect("it is a status");
        let ecs = axum::Router::new()
            .fallback(move || async move { (status, format!(r#"{{"__type":"{code}","message":"no"}}"#)) });
        tokio::spawn(async move { axum::serve(listener, ecs).await });
        let config = Config::builder()
            .behavior_version(aws_sdk_ecs::config::BehaviorVersion::latest())
            .region(aws_sdk_ecs::config::Region::new("eu-central-1"))
            .credentials_provider(aws_sdk_ecs::config::Credentials::new("key", "secret", None, None, "test"))
            .endpoint_url(url)
            .build();
        let settings = LaunchSettings {
            cluster: "ahoy".into(),
            family: "media-task".into(),
            subnets: vec!["subnet-1".into()],
            security_groups: vec![],
            leave_after_idle: Duration::from_secs(60),
            most: 1,
        };
        TaskLauncher::new(Client::from_conf(config), settings)
    }

    #[test]
    fn each_refusal_changes_the_client_token() {
        let call_ref = CallRef::from("0123456789abcdef".repeat(4));
        let tokens: std::collections::BTreeSet<_> =
            (0..4).map(|refusals| token(&call_ref, refusals)).collect();

        assert_eq!(tokens.len(), 4);
        assert!(tokens.iter().all(|token| token.len() <= 64 && token.starts_with(&call_ref.as_str()[..32])));
    }
}
