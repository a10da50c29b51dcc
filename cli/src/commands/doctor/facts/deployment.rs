//! Fetches the deployment's resources on AWS: numbers, agents, media tasks and Lambda concurrency.

use crate::cloud;
use crate::fetched::{FetchError, Fetched};
use agents::Agent;
use aws_config::SdkConfig;
use call::NumberId;
use std::collections::BTreeSet;
use store::{Store, StoreError};

/// How far back events count that did not arrive, ms.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The most such events that are counted.
const MOST_COUNTED: u32 = 100;

/// The deployment's resources on AWS.
#[derive(Debug, Clone)]
pub(crate) struct Deployment {
    /// The id of the secret with Meta's keys.
    pub(crate) meta_secret: Fetched<String>,
    /// The id of the media tasks' secret.
    pub(crate) media_secret: Fetched<String>,
    /// Each number with its agent.
    pub(crate) numbers: Fetched<Vec<(NumberId, String)>>,
    /// The stored agents that this release can parse.
    pub(crate) agents: Fetched<Vec<Agent>>,
    /// The names of the keys in the media tasks' secret that agent files refer to.
    pub(crate) tool_secrets: Fetched<BTreeSet<String>>,
    /// How many events for businesses were refused or given up within a day; a hundred at most are counted.
    pub(crate) undelivered: Fetched<usize>,
    /// How many media tasks are ready for calls.
    pub(crate) warm_tasks: Fetched<usize>,
    /// The account's limit of concurrent Lambda executions.
    pub(crate) concurrency: Fetched<Concurrency>,
    /// The concurrent executions reserved for call-control, if any.
    pub(crate) reserved: Fetched<Option<i32>>,
}

/// The account's limits of concurrent Lambda executions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Concurrency {
    /// For the whole account.
    pub(crate) quota: i32,
    /// The part that is not reserved for a function.
    pub(crate) unreserved: i32,
}

impl Deployment {
    /// Fetches everything but the secrets.
    pub(crate) async fn fetch(aws: &SdkConfig, table: &str, call_control: &str) -> Self {
        let secret = || Err(FetchError::because("the secret was not fetched"));
        if aws.region().is_none() {
            let no_region = || FetchError::because(cloud::NO_REGION);
            return Self {
                meta_secret: secret(),
                media_secret: secret(),
                tool_secrets: Err(no_region()),
                undelivered: Err(no_region()),
                numbers: Err(no_region()),
                agents: Err(no_region()),
                warm_tasks: Err(no_region()),
                concurrency: Err(no_region()),
                reserved: Err(no_region()),
            };
        }
        let store = Store::new(aws_sdk_dynamodb::Client::new(aws), table);
        let now_ms = service::time::now_ms();
        let (numbers, agents, undelivered, tasks, concurrency, reserved) = tokio::join!(
            store.numbers(),
            store.agents(),
            store.failed_in_outbox(now_ms.saturating_sub(DAY_MS), MOST_COUNTED),
            store.ready_tasks(),
            concurrency(aws),
            reserved(aws, call_control)
        );
        let table_error = |error: StoreError| cloud::fetch_error(&error.into(), &format!("table {table}"));
        let numbers = numbers.map(|all| all.into_iter().map(|it| (it.number, it.agent)).collect());
        let agents = agents.map(|all| all.iter().filter_map(|agent| Agent::read(&agent.text).ok()).collect());
        let warm = tasks.map(|all| all.iter().filter(|lease| lease.until_ms > now_ms).count());
        Self {
            meta_secret: secret(),
            media_secret: secret(),
            tool_secrets: Err(FetchError::because("the secret was not fetched")),
            undelivered: undelivered.map(|events| events.len()).map_err(table_error),
            numbers: numbers.map_err(table_error),
            agents: agents.map_err(table_error),
            warm_tasks: warm.map_err(table_error),
            concurrency,
            reserved,
        }
    }
}

/// Returns the address of a stack's webhook: its Function URL and the path that Meta calls.
pub(super) async fn webhook_url(aws: &SdkConfig, function: &str) -> Fetched<String> {
    if aws.region().is_none() {
        return Err(FetchError::because(cloud::NO_REGION));
    }
    let config =
        aws_sdk_lambda::Client::new(aws).get_function_url_config().function_name(function).send().await;
    let config =
        config.map_err(|error| cloud::fetch_error(&error.into(), &format!("function {function}")))?;
    Ok(format!("{}webhook", config.function_url()))
}

async fn concurrency(aws: &SdkConfig) -> Fetched<Concurrency> {
    let settings = aws_sdk_lambda::Client::new(aws).get_account_settings().send().await;
    let settings = settings.map_err(|error| cloud::fetch_error(&error.into(), "Lambda's quotas"))?;
    let limit = settings.account_limit().map(|limit| Concurrency {
        quota: limit.concurrent_executions(),
        // Optional in Lambda's API.
        unreserved: limit.unreserved_concurrent_executions().unwrap_or_else(|| limit.concurrent_executions()),
    });
    limit.ok_or_else(|| FetchError::because("Lambda returns no quotas"))
}

async fn reserved(aws: &SdkConfig, call_control: &str) -> Fetched<Option<i32>> {
    let asked =
        aws_sdk_lambda::Client::new(aws).get_function_concurrency().function_name(call_control).send();
    let what = format!("function {call_control}");
    let found = asked.await.map_err(|error| cloud::fetch_error(&error.into(), &what))?;
    Ok(found.reserved_concurrent_executions())
}
