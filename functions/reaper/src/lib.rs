//! The reaper: once a minute, has call-control look at every call that is overdue.
//!
//! The backstop for when no media task lives: while one does, its heartbeats do the same every few seconds.

use lambda_runtime::{Error, LambdaEvent};
use serde::Serialize;
use service::env::{Env, SettingError};
use store::{CallControl, Store};

/// The reaper's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `TABLE`: the DynamoDB table.
    pub table: String,
    /// `CALL_CONTROL`: name or ARN of the function that acts on calls.
    pub call_control: String,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// Which one is missing.
    pub fn from_env(env: &Env) -> Result<Self, SettingError> {
        Ok(Self { table: env.required("TABLE")?, call_control: env.required("CALL_CONTROL")? })
    }
}

/// Everything an invocation needs, made once while the function starts.
#[derive(Debug)]
pub struct Reaper {
    ledger: Store,
    call_control: CallControl,
}

/// What one round did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReaperRun {
    /// How many calls were overdue.
    pub overdue: usize,
    /// How many of them Lambda took no order for.
    pub failed: usize,
}

impl Reaper {
    /// Connects to AWS as the settings say.
    pub async fn start(settings: Settings) -> Self {
        let config = service::cloud::config().await;
        let ledger = Store::new(aws_sdk_dynamodb::Client::new(&config), &settings.table);
        let lambda = aws_sdk_lambda::Client::new(&config);
        Self { ledger, call_control: CallControl::new(lambda, &settings.call_control) }
    }

    /// One round.
    ///
    /// # Errors
    /// When it cannot be asked what is due. The next round tries again.
    pub async fn handle(&self, _event: LambdaEvent<serde_json::Value>) -> Result<ReaperRun, Error> {
        let due = self.ledger.due(service::time::now_ms()).await?;
        let overdue = due.len();
        let failed = self.call_control.tick_all(due).await;
        if overdue > 0 {
            tracing::info!(overdue, failed, "Ticked {overdue} overdue calls; {failed} orders were not taken");
        }
        Ok(ReaperRun { overdue, failed })
    }
}
