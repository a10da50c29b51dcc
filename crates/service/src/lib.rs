//! What every process of the product needs: settings, logs, AWS, secrets, and a proper end.

pub mod cloud;
pub mod env;
pub mod events;
pub mod logs;
pub mod metrics;
pub mod pseudonyms;
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

/// Exit code for wrong configuration: `EX_USAGE` of sysexits.
pub const WRONG_SETTINGS: u8 = 64;

/// Sets up what must be there before anything else, runs the process, and says in one line what stopped it.
///
/// Wrong settings exit with 64, anything else that fails with 1.
pub async fn run<F, T>(name: &'static str, main: impl FnOnce() -> F) -> ExitCode
where
    F: Future<Output = anyhow::Result<T>>,
    T: Termination,
{
    // One provider, named: rustls would panic at the first `wss://` should a feature ever bring a second one.
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
            say(&format!("{name}: {error}"));
            ExitCode::from(WRONG_SETTINGS)
        }
        Err(error) => {
            say(&format!("{name}: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stderr, reason = "the last words of a process that cannot run")]
fn say(line: &str) {
    eprintln!("{line}");
}
