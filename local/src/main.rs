//! Serves calls from outside with the product on this machine: settings come from the environment.

use service::env::Env;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,dynoxide=error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    service::run("serve", || Box::pin(async { local::serve::serve(&Env::of_process()).await })).await
}
