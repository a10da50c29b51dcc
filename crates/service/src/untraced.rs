//! In place of traces, where they are not built in: says so to whoever asked for them.

use crate::env::{Env, WrongSetting};
use journal::Entry;

/// Says that no traces are sent, if the environment says where to.
///
/// # Errors
/// Never.
pub(crate) fn init(env: &Env, _program: &'static str) -> Result<(), WrongSetting> {
    let asked_for = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
    if let Some(name) = asked_for.into_iter().find(|name| env.optional(name).is_some()) {
        tracing::warn!("{name} is set, but traces are not built in: docs/traces.md");
    }
    Ok(())
}

/// Nothing.
pub(crate) fn note(_entry: &Entry) {}

/// Nothing.
pub(crate) async fn flush() {}
