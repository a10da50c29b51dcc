//! Call-control: takes calls to media tasks and speaks to Meta for them. One order an invocation.

mod settings;
mod state_change;

pub use settings::Settings;
pub use state_change::{Invocation, StateChange};

use anyhow::Context;
use internal_api::order::Reply;
use lambda_runtime::{Error, LambdaEvent};
use service::pseudonyms::Pseudonyms;
use service::secrets::Secret;
use std::sync::Arc;
use store::Store;
use switchboard::control_api::ControlApiClient;
use switchboard::graph_actions::GraphClient;
use switchboard::task_launcher::TaskLauncher;
use switchboard::{CallStore, ControlApiSecret, GraphSecret, Switchboard};
use whatsapp::Graph;

/// Everything an invocation needs, made once while the function starts.
#[derive(Debug)]
pub struct CallControl {
    switchboard: Switchboard,
}

impl CallControl {
    /// Connects to AWS and to Meta as the settings say.
    ///
    /// # Errors
    /// When the secrets cannot be had.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        let config = service::cloud::config().await;
        let (meta, doors, marks) = tokio::join!(
            Secret::<GraphSecret>::fetch(&config, &settings.meta_secret),
            Secret::<ControlApiSecret>::fetch(&config, &settings.media_secret),
            Pseudonyms::fetch(&config, settings.mark_secret.as_deref()),
        );
        let (meta, doors, marks) = (meta?, doors?, marks?);
        let dynamodb = aws_sdk_dynamodb::Client::new(&config);
        let graph =
            Graph::new(&settings.graph_url, meta.value().access_token.clone()).context("no TLS to be had")?;
        let switchboard = Switchboard {
            store: CallStore::new(dynamodb.clone(), &settings.table),
            ledger: Store::new(dynamodb, &settings.table),
            knocker: ControlApiClient::new(doors, marks, service::time::now_ms),
            launcher: TaskLauncher::new(aws_sdk_ecs::Client::new(&config), settings.launch),
            line: GraphClient::new(graph),
            meta,
            agent: Arc::new(settings.agent),
            log: service::events::report,
            clock: service::time::now_ms,
        };
        Ok(Self { switchboard })
    }

    /// Does what one order asks, or ends the calls of a task that ECS says has stopped.
    ///
    /// # Errors
    /// When the order cannot be read or DynamoDB cannot be asked; Lambda asks again.
    pub async fn handle(&self, event: LambdaEvent<Invocation>) -> Result<Reply, Error> {
        self.switchboard.line.begin();
        self.switchboard.knocker.look_for_marks().await;
        let replied = self.reply(event.payload).await;
        service::events::flush().await;
        Ok(replied?)
    }

    async fn reply(&self, asked: Invocation) -> anyhow::Result<Reply> {
        match asked {
            Invocation::Order(order) => self.switchboard.handle(&order).await,
            Invocation::StateChange(change) => {
                if let Some(task) = change.stopped_task() {
                    let lost = self.switchboard.lose_task(task).await?;
                    self.switchboard.tick_due().await?;
                    tracing::info!(task, lost, "A media task has stopped, with {lost} calls");
                }
                Ok(Reply::Over)
            }
        }
    }
}
