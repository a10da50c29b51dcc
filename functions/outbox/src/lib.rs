//! The outbox function: tells businesses what came of calls, again until they have it.
//!
//! It is invoked for a call that has something to tell, and each minute for all that is due. It has no secret of Meta's.

mod delivery;
mod destinations;
mod extracting;
mod one_host;
mod outbox_run;
mod round;
mod settings;
mod stored_call;
mod unreadable_events;

pub use outbox_run::OutboxRun;
pub use settings::Settings;

use anyhow::Context;
use aws_config::SdkConfig;
use internal_api::outbox::DeliverCall;
use lambda_runtime::{Error, LambdaEvent};
use openai_responses::Responses;
use operator_http::OperatorHttp;
use round::Round;
use service::secrets::Secret;
use settings::OutboxSecret;
use std::time::Duration;
use store::Store;

/// The timeout of a request to the model, and of all requests for one event.
const MODEL_TIMEOUT: Duration = Duration::from_secs(30);

/// How long an invocation without a deadline may take.
const LONGEST_INVOCATION: Duration = Duration::from_secs(90);

/// The clients of all invocations, made once at start-up.
#[derive(Debug)]
pub struct Outbox {
    store: Store,
    secret: Secret<OutboxSecret>,
    responses: Responses,
    http: OperatorHttp,
    default_agent: agents::Agent,
}

impl Outbox {
    /// Connects to AWS.
    ///
    /// # Errors
    /// When the secret cannot be read.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        Self::connect(&service::cloud::config().await, settings).await
    }

    /// Connects to AWS with this configuration.
    ///
    /// # Errors
    /// When the secret cannot be read.
    pub async fn connect(config: &SdkConfig, settings: Settings) -> anyhow::Result<Self> {
        let secret = Secret::fetch(config, &settings.media_secret).await?;
        let responses = Responses::new(&settings.openai_url, MODEL_TIMEOUT);
        Ok(Self {
            store: Store::new(aws_sdk_dynamodb::Client::new(config), &settings.table),
            secret,
            responses: responses.context("cannot configure TLS for OpenAI")?,
            http: OperatorHttp::without_reuse().context("cannot configure TLS for businesses")?,
            default_agent: settings.agent,
        })
    }

    /// Delivers what is due: of the call that the payload names, and then of all calls while time remains.
    ///
    /// # Errors
    /// When DynamoDB fails. What was claimed is due again when its claim ends.
    pub async fn handle(&self, event: LambdaEvent<serde_json::Value>) -> Result<OutboxRun, Error> {
        let ends_at_ms = match event.context.deadline {
            0 => service::time::now_ms() + LONGEST_INVOCATION.as_millis() as u64,
            deadline => deadline,
        };
        let call = serde_json::from_value::<DeliverCall>(event.payload).ok().map(|asked| asked.call_ref);
        let run = Round::new(self, ends_at_ms).run(call).await;
        service::events::flush().await;
        Ok(run?)
    }
}
