//! Replaces the export of traces where the feature `otlp` is off, and warns those who configured it.

use crate::env::{Env, SettingError};
use journal::JournalEntry;

/// Warns that no traces are sent, if the environment has an endpoint.
///
/// Never returns an error.
pub(crate) fn init(env: &Env, _program: &'static str) -> Result<(), SettingError> {
    let asked_for = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
    if let Some(name) = asked_for.into_iter().find(|name| env.optional(name).is_some()) {
        tracing::warn!(
            "traces are not sent: {name} is set, but this build has no support for them (docs/traces.md)"
        );
    }
    Ok(())
}

pub(crate) fn note(_entry: &JournalEntry) {}

pub(crate) async fn flush() {}

#[cfg(test)]
mod tests {
    use super::*;
    use journal::{EntryBuilder, JournalEvent};

    #[tokio::test]
    async fn a_build_without_traces_ignores_the_endpoint() {
        let env = Env::of(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1]:4318")]);

        assert_eq!(init(&env, "webhook"), Ok(()));

        note(&EntryBuilder::new(&"01".repeat(32).into(), "task", 0, 1).enter(JournalEvent::Opened {}, 1_000));
        flush().await;
    }
}
