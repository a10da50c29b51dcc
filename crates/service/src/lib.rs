//! The environment of every process: settings, logs, metrics, traces, AWS, secrets, TLS and shutdown.

pub mod cloud;
pub mod env;
pub mod events;
pub mod logs;
pub mod metrics;
pub mod pseudonym_keys;
pub mod secrets;
pub mod shutdown;
pub mod time;
pub mod tls;
#[cfg(feature = "otlp")]
mod traces;
#[cfg(any(test, not(feature = "otlp")))]
mod untraced;

#[cfg(not(feature = "otlp"))]
use untraced as traces;

use std::process::{ExitCode, Termination};

/// The exit code for invalid settings: `EX_USAGE` of sysexits.
pub const WRONG_SETTINGS: u8 = 64;

/// Sets up TLS, logs, metrics and traces, runs the process, and reports in one line why it failed.
///
/// Invalid settings exit with 64, any other error with 1.
pub async fn run<F, T>(name: &'static str, main: impl FnOnce() -> F) -> ExitCode
where
    F: Future<Output = anyhow::Result<T>>,
    T: Termination,
{
    // One provider, by name: rustls would panic at the first `wss://` if a feature ever added a second one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    logs::init();
    let env = env::Env::of_process();
    metrics::init(&env);
    let ended = match traces::init(&env, name) {
        Ok(()) => main().await,
        Err(wrong) => Err(wrong.into()),
    };
    match ended {
        Ok(ended) => ended.report(),
        Err(error) if error.is::<env::SettingError>() => {
            print_error(&format!("{name}: {error}"));
            ExitCode::from(WRONG_SETTINGS)
        }
        Err(error) => {
            print_error(&format!("{name}: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stderr, reason = "the error of a process that cannot run")]
fn print_error(line: &str) {
    eprintln!("{line}");
}
