//! What the commands of rehearsals, suites and benches share: arguments, logs, printed results.

use clap::Parser;
use local::Binaries;
use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Reads the arguments of this process and starts its log.
///
/// # Errors
/// The exit code, once the usage or what is wrong with the arguments has been printed.
pub fn parse<A: Parser>() -> Result<A, ExitCode> {
    let arguments = A::try_parse().map_err(|error| {
        let _ = error.print();
        ExitCode::from(if error.use_stderr() { service::WRONG_SETTINGS } else { 0 })
    })?;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,dynoxide=error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    Ok(arguments)
}

/// Returns the programs in a folder, or this build's.
///
/// # Errors
/// When a program is missing or cannot be built.
pub async fn programs(artefacts: Option<PathBuf>) -> anyhow::Result<Binaries> {
    match artefacts {
        Some(folder) => Binaries::in_folder(std::path::absolute(folder)?),
        None => Binaries::build().await,
    }
}

/// Prints a result; the exit code says whether it is right.
#[allow(clippy::print_stdout, reason = "this is what the command is for")]
pub fn show(result: &impl Display, is_right: bool) -> ExitCode {
    println!("{result}");
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints a result with limits of speed. An unoptimised build keeps none, and is there to try the command.
#[allow(clippy::print_stdout, reason = "a line under the table")]
pub fn judge(result: &impl Display, holds: bool) -> ExitCode {
    let code = show(result, holds || cfg!(debug_assertions));
    if cfg!(debug_assertions) {
        println!("An unoptimised build: the limits are shown, not judged.");
    }
    code
}
