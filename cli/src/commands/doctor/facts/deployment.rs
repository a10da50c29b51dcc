//! What there is of the deployment on AWS.

use crate::cloud;
use crate::fetched::{FetchError, Fetched};
use agents::Agent;
use aws_config::SdkConfig;
use store::Store;

/// The deployment on AWS.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// Meta's secret: its id.
    pub meta_secret: Fetched<String>,
    /// The media tasks' secret: its id.
    pub media_secret: Fetched<String>,
    /// The table's numbers, each with its agent.
    pub numbers: Fetched<Vec<(String, String)>>,
    /// The agents that were pushed, as far as this release can read them.
    pub agents: Fetched<Vec<Agent>>,
    /// How many media tasks take calls.
    pub warm_tasks: Fetched<usize>,
    /// How many invocations of functions the account may have at once.
    pub concurrency: Fetched<Concurrency>,
    /// How many of them are reserved for call-control, if any.
    pub reserved: Fetched<Option<i32>>,
}

/// How many invocations of functions run at once at most.
#[derive(Debug, Clone, Copy)]
pub struct Concurrency {
    /// For all of the account.
    pub quota: i32,
    /// Those that no function has reserved.
    pub unreserved: i32,
}

impl Deployment {
    /// Looks at all of it but the secrets.
    pub async fn look(aws: &SdkConfig, table: &str, call_control: &str) -> Self {
        let secret = || Err(FetchError::because("it was not looked for"));
        if aws.region().is_none() {
            let nowhere = || FetchError::because(cloud::NO_REGION);
            return Self {
                meta_secret: secret(),
                media_secret: secret(),
                numbers: Err(nowhere()),
                agents: Err(nowhere()),
                warm_tasks: Err(nowhere()),
                concurrency: Err(nowhere()),
                reserved: Err(nowhere()),
            };
        }
        let ledger = Store::new(aws_sdk_dynamodb::Client::new(aws), table);
        let (numbers, agents, tasks, concurrency, reserved) = tokio::join!(
            ledger.numbers(),
            ledger.agents(),
            ledger.ready_tasks(),
            concurrency(aws),
            reserved(aws, call_control)
        );
        let of_table = |error: anyhow::Error| cloud::unseen(&error, &format!("table {table}"));
        let now_ms = service::time::now_ms();
        let numbers = numbers.map(|all| all.into_iter().map(|it| (it.number, it.agent)).collect());
        let agents = agents.map(|all| all.iter().filter_map(|agent| Agent::read(&agent.text).ok()).collect());
        let warm = tasks.map(|all| all.iter().filter(|lease| lease.until_ms > now_ms).count());
        Self {
            meta_secret: secret(),
            media_secret: secret(),
            numbers: numbers.map_err(of_table),
            agents: agents.map_err(of_table),
            warm_tasks: warm.map_err(of_table),
            concurrency,
            reserved,
        }
    }
}

/// Where a stack's webhook is: its Function URL, and the path that Meta is given.
pub(super) async fn webhook_url(aws: &SdkConfig, function: &str) -> Fetched<String> {
    if aws.region().is_none() {
        return Err(FetchError::because(cloud::NO_REGION));
    }
    let config =
        aws_sdk_lambda::Client::new(aws).get_function_url_config().function_name(function).send().await;
    let config = config.map_err(|error| cloud::unseen(&error.into(), &format!("function {function}")))?;
    Ok(format!("{}webhook", config.function_url()))
}

async fn concurrency(aws: &SdkConfig) -> Fetched<Concurrency> {
    let settings = aws_sdk_lambda::Client::new(aws).get_account_settings().send().await;
    let settings = settings.map_err(|error| cloud::unseen(&error.into(), "Lambda's quotas"))?;
    let limit = settings.account_limit().map(|limit| Concurrency {
        quota: limit.concurrent_executions(),
        // It is optional in the API.
        unreserved: limit.unreserved_concurrent_executions().unwrap_or_else(|| limit.concurrent_executions()),
    });
    limit.ok_or_else(|| FetchError::because("Lambda does not tell its quotas"))
}

async fn reserved(aws: &SdkConfig, call_control: &str) -> Fetched<Option<i32>> {
    let asked =
        aws_sdk_lambda::Client::new(aws).get_function_concurrency().function_name(call_control).send();
    let what = format!("function {call_control}");
    let found = asked.await.map_err(|error| cloud::unseen(&error.into(), &what))?;
    Ok(found.reserved_concurrent_executions())
}
