//! The Lambda entry point of the outbox.

use outbox::{Outbox, Settings};
use service::env::Env;
use std::process::ExitCode;
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    service::run("outbox", || async {
        let settings = Settings::from_env(&Env::of_process())?;
        let outbox = Arc::new(Outbox::start(settings).await?);
        let handler = lambda_runtime::service_fn(move |event| {
            let outbox = outbox.clone();
            async move { outbox.handle(event).await }
        });
        lambda_runtime::run(handler).await.map_err(anyhow::Error::from_boxed)
    })
    .await
}
