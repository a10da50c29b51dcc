//! The requests of the ECS API, as far as they are played; an unknown member is an error, not ignored.

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::refusal::Refusal;

pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::new("SerializationException", error.to_string()))
}

#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct RunTask {
    pub(super) cluster: Option<String>,
    pub(super) task_definition: Option<String>,
    pub(super) client_token: Option<String>,
    pub(super) count: Option<usize>,
    pub(super) group: Option<String>,
    pub(super) started_by: Option<String>,
    pub(super) launch_type: Option<String>,
    pub(super) capacity_provider_strategy: Option<Vec<serde_json::Value>>,
    pub(super) network_configuration: Option<NetworkConfiguration>,
    pub(super) overrides: TaskOverride,
    #[serde(rename = "enableECSManagedTags")]
    pub(super) enable_ecs_managed_tags: Option<bool>,
    pub(super) enable_execute_command: Option<bool>,
    pub(super) platform_version: Option<String>,
    pub(super) propagate_tags: Option<String>,
    pub(super) tags: Option<Vec<serde_json::Value>>,
}

#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct NetworkConfiguration {
    pub(super) awsvpc_configuration: Option<Awsvpc>,
}

#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Awsvpc {
    pub(super) subnets: Vec<String>,
    pub(super) security_groups: Vec<String>,
    pub(super) assign_public_ip: Option<String>,
}

#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct TaskOverride {
    pub(super) container_overrides: Vec<ContainerOverride>,
}

#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct ContainerOverride {
    pub(super) name: Option<String>,
    pub(super) environment: Vec<KeyValue>,
}

#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyValue {
    pub(super) name: String,
    pub(super) value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct DescribeTasks {
    pub(super) cluster: Option<String>,
    pub(super) tasks: Vec<String>,
    pub(super) include: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct ListTasks {
    pub(super) cluster: Option<String>,
    pub(super) family: Option<String>,
    pub(super) service_name: Option<String>,
    pub(super) started_by: Option<String>,
    pub(super) desired_status: Option<String>,
    pub(super) launch_type: Option<IgnoredAny>,
    pub(super) max_results: Option<usize>,
    pub(super) next_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct StopTask {
    pub(super) cluster: Option<String>,
    pub(super) task: Option<String>,
    pub(super) reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct DescribeServices {
    pub(super) cluster: Option<String>,
    pub(super) services: Vec<String>,
    pub(super) include: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct UpdateService {
    pub(super) cluster: Option<String>,
    pub(super) service: Option<String>,
    pub(super) desired_count: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct TaskProtection {
    pub(super) cluster: Option<String>,
    pub(super) tasks: Vec<String>,
    pub(super) protection_enabled: Option<bool>,
    pub(super) expires_in_minutes: Option<i64>,
}
