//! The media task's program: holds calls until ECS stops it; `healthcheck` asks the one that runs in this container.

use service::WRONG_SETTINGS;
use service::env::Env;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => service::run("media-task", || async { media_task::run(&Env::of_process()).await }).await,
        ["healthcheck"] => {
            service::run("media-task", || async {
                media_task::lifecycle::health_probe::run(&Env::of_process()).await
            })
            .await
        }
        _ => {
            print_usage_error("usage: media-task [healthcheck]");
            ExitCode::from(WRONG_SETTINGS)
        }
    }
}

#[allow(clippy::print_stderr, reason = "a usage error goes to the terminal")]
fn print_usage_error(line: &str) {
    eprintln!("{line}");
}
