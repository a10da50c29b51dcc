//! The Lambda entry point of the reaper.

use reaper::{Reaper, Settings};
use service::env::Env;
use std::process::ExitCode;
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    service::run("reaper", || async {
        let settings = Settings::from_env(&Env::of_process())?;
        let reaper = Arc::new(Reaper::start(settings).await);
        let handler = lambda_runtime::service_fn(move |event| {
            let reaper = reaper.clone();
            async move { reaper.handle(event).await }
        });
        lambda_runtime::run(handler).await.map_err(anyhow::Error::from_boxed)
    })
    .await
}
