//! The webhook as a Lambda function.

use service::env::Env;
use std::process::ExitCode;
use std::sync::Arc;
use webhook::{Settings, Webhook};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    service::run("webhook", || async {
        let settings = Settings::from_env(&Env::of_process())?;
        let webhook = Arc::new(Webhook::start(settings).await?);
        let handler = lambda_http::service_fn(move |request| {
            let webhook = webhook.clone();
            async move { webhook.handle(request).await }
        });
        lambda_http::run(handler).await.map_err(anyhow::Error::from_boxed)
    })
    .await
}
