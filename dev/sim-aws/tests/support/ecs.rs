//! ECS as the tests ask it: by the SDK, and as a task asks its agent.

use aws_sdk_ecs::Client;
use aws_sdk_ecs::error::SdkError;
use aws_sdk_ecs::operation::run_task::{RunTaskError, RunTaskOutput};
use aws_sdk_ecs::types::{
    AwsVpcConfiguration, ContainerOverride, KeyValuePair, LaunchType, NetworkConfiguration, TaskOverride,
};
use serde_json::Value;
use sim_aws::Cloud;

/// Has one task of `media-task` run.
pub(crate) async fn run(
    cloud: &Cloud,
    token: &str,
    call: &str,
) -> Result<RunTaskOutput, SdkError<RunTaskError>> {
    let environment = KeyValuePair::builder().name("CALL").value(call).build();
    let container = ContainerOverride::builder().name("media").environment(environment).build();
    let overrides = TaskOverride::builder().container_overrides(container).build();
    let vpc = AwsVpcConfiguration::builder().subnets("subnet-1").build().unwrap();
    let network = NetworkConfiguration::builder().awsvpc_configuration(vpc).build();
    let request = Client::new(&cloud.sdk_config()).run_task().cluster("ahoy").task_definition("media-task");
    let request = request.launch_type(LaunchType::Fargate).network_configuration(network);
    request.client_token(token).started_by("call-control").overrides(overrides).send().await
}

/// A task as the API shows it.
pub(crate) async fn describe(cloud: &Cloud, arn: &str) -> aws_sdk_ecs::types::Task {
    let request = Client::new(&cloud.sdk_config()).describe_tasks().cluster("ahoy").tasks(arn);
    request.send().await.unwrap().tasks()[0].clone()
}

/// Asks a task's agent to protect it.
pub(crate) async fn put(settings: &Value, protection: Value) -> Value {
    send(settings, protection).await.json().await.unwrap()
}

/// The same, with all of the answer.
pub(crate) async fn send(settings: &Value, protection: Value) -> reqwest::Response {
    let agent = settings["ECS_AGENT_URI"].as_str().unwrap();
    let request = reqwest::Client::new().put(format!("{agent}/task-protection/v1/state")).json(&protection);
    request.send().await.unwrap()
}
