//! The reaper function: once a minute, orders a tick for every overdue call.
//!
//! It is the backstop when no media task lives; a live one's heartbeat does the same every few seconds.

use internal_api::client::CallControl;
use lambda_runtime::{Error, LambdaEvent};
use serde::Serialize;
use service::env::{Env, SettingError};
use store::Store;

/// Settings read from the environment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `TABLE`: the DynamoDB table.
    pub table: String,
    /// `CALL_CONTROL`: name or ARN of the function that acts on calls.
    pub call_control: String,
}

impl Settings {
    /// Reads the settings.
    ///
    /// # Errors
    /// When one is missing; names it.
    pub fn from_env(env: &Env) -> Result<Self, SettingError> {
        Ok(Self { table: env.required("TABLE")?, call_control: env.required("CALL_CONTROL")? })
    }
}

/// The clients of all invocations, made once at start-up.
#[derive(Debug)]
pub struct Reaper {
    store: Store,
    call_control: CallControl,
}

/// The result of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReaperRun {
    /// How many calls were overdue.
    pub overdue: usize,
    /// How many orders Lambda did not accept.
    pub failed: usize,
}

impl Reaper {
    /// Connects to AWS.
    pub async fn start(settings: Settings) -> Self {
        let config = service::cloud::config().await;
        let store = Store::new(aws_sdk_dynamodb::Client::new(&config), &settings.table);
        let lambda = aws_sdk_lambda::Client::new(&config);
        Self { store, call_control: CallControl::new(lambda, &settings.call_control) }
    }

    /// Orders a tick for every overdue call.
    ///
    /// # Errors
    /// When the due calls cannot be queried. The next run tries again.
    pub async fn handle(&self, _event: LambdaEvent<serde_json::Value>) -> Result<ReaperRun, Error> {
        let due = self.store.due(service::time::now_ms()).await?;
        let overdue = due.len();
        let failed = self.call_control.tick_all(due).await;
        if overdue > 0 {
            tracing::info!(
                overdue,
                failed,
                "ticked {overdue} overdue calls; Lambda did not accept {failed} orders"
            );
        }
        Ok(ReaperRun { overdue, failed })
    }
}
