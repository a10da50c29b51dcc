//! The Lambda entry point of the webhook.

use lambda_http::{Error, LambdaEvent, lambda_runtime, service_fn};
use service::env::Env;
use std::process::ExitCode;
use std::sync::Arc;
use webhook::url_event::{UrlEvent, UrlReply};
use webhook::{Settings, Webhook};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    service::run("webhook", || async {
        let settings = Settings::from_env(&Env::of_process())?;
        let webhook = Arc::new(Webhook::start(settings).await?);
        let handler = service_fn(move |event: LambdaEvent<UrlEvent>| {
            let webhook = webhook.clone();
            async move { Ok::<_, Error>(UrlReply::from(webhook.handle(event.payload.into()).await?)) }
        });
        lambda_runtime::run(handler).await.map_err(anyhow::Error::from_boxed)
    })
    .await
}
