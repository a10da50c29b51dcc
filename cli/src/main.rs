//! The `ahoy` program: runs the command line.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    ahoy::run(std::env::args_os()).await
}
