//! The call-control function: assigns calls to media tasks and performs call actions at Meta and OpenAI, one order per invocation.

mod settings;
mod state_change;

pub use settings::Settings;
pub use state_change::{Invocation, StateChange};

use anyhow::Context;
use aws_config::SdkConfig;
use call::Line;
use internal_api::client::Outbox;
use internal_api::order::Reply;
use lambda_runtime::{Error, LambdaEvent};
use service::pseudonym_keys::Pseudonyms;
use service::secrets::Secret;
use std::sync::Arc;
use store::Store;
use switchboard::control_api::ControlApiClient;
use switchboard::graph_actions::GraphClient;
use switchboard::openai_actions::CallsClient;
use switchboard::task_launcher::TaskLauncher;
use switchboard::{ControlApiSecret, GraphSecret, Switchboard};
use whatsapp::Graph;

/// The clients of all invocations, made once at start-up.
#[derive(Debug)]
pub struct CallControl {
    switchboard: Switchboard,
}

impl CallControl {
    /// Connects to AWS and Meta.
    ///
    /// # Errors
    /// When a secret cannot be read.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        Self::connect(&service::cloud::config().await, settings).await
    }

    /// Connects to AWS with this configuration, and to Meta.
    ///
    /// # Errors
    /// When a secret cannot be read.
    pub async fn connect(config: &SdkConfig, settings: Settings) -> anyhow::Result<Self> {
        let (meta, control_api, pseudonyms) = tokio::join!(
            Secret::<GraphSecret>::fetch(config, &settings.meta_secret),
            Secret::<ControlApiSecret>::fetch(config, &settings.media_secret),
            Pseudonyms::fetch(config, settings.mark_secret.as_deref()),
        );
        let (meta, control_api, pseudonyms) = (meta?, control_api?, pseudonyms?);
        let openai = CallsClient::new(&settings.openai_url, &settings.realtime_model, control_api.clone());
        let dynamodb = aws_sdk_dynamodb::Client::new(config);
        let graph = Graph::new(&settings.graph_url, meta.value().access_token.clone())
            .context("cannot configure TLS for the Graph API")?;
        let outbox = settings
            .outbox
            .as_ref()
            .map(|function| Outbox::new(aws_sdk_lambda::Client::new(config), function));
        let switchboard = Switchboard {
            store: Store::new(dynamodb, &settings.table),
            control_api: ControlApiClient::new(control_api, pseudonyms, service::time::now_ms),
            launcher: TaskLauncher::new(aws_sdk_ecs::Client::new(config), settings.launch),
            graph: GraphClient::new(graph),
            openai,
            outbox,
            meta,
            agent: Arc::new(settings.agent),
            lines: std::iter::once(Line::WhatsApp).chain(settings.other_line).collect(),
            log: service::events::report,
            clock: service::time::now_ms,
        };
        Ok(Self { switchboard })
    }

    /// Carries out an order, or ends the calls of a task that ECS reports as stopped.
    ///
    /// # Errors
    /// When DynamoDB fails: Lambda retries.
    pub async fn handle(&self, event: LambdaEvent<Invocation>) -> Result<Reply, Error> {
        self.switchboard.graph.reset_connections();
        self.switchboard.openai.reset_connections();
        self.switchboard.control_api.load_pseudonym_key().await;
        let replied = self.reply(event.payload).await;
        service::events::flush().await;
        Ok(replied?)
    }

    async fn reply(&self, invocation: Invocation) -> anyhow::Result<Reply> {
        match invocation {
            Invocation::Order(order) => self.switchboard.handle(&order).await,
            Invocation::StateChange(change) => {
                if let Some(task) = change.stopped_task() {
                    let calls = self.switchboard.end_calls_of_task(&task).await?;
                    self.switchboard.tick_due().await?;
                    tracing::info!(%task, lost = calls, "media task stopped with {calls} calls");
                }
                Ok(Reply::Over)
            }
        }
    }
}
