//! The Lambda entry point of call-control.

use call_control::{CallControl, Settings};
use service::env::Env;
use std::process::ExitCode;
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    service::run("call-control", || async {
        let settings = Settings::from_env(&Env::of_process())?;
        let call_control = Arc::new(CallControl::start(settings).await?);
        let handler = lambda_runtime::service_fn(move |event| {
            let call_control = call_control.clone();
            async move { call_control.handle(event).await }
        });
        lambda_runtime::run(handler).await.map_err(anyhow::Error::from_boxed)
    })
    .await
}
