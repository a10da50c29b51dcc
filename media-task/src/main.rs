//! The media task as a process.

use service::env::Env;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    service::run("media-task", || async { media_task::run(&Env::of_process()).await }).await
}
