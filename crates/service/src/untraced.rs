//! In place of traces, where they are not built in: says so to whoever asked for them.

use crate::env::{Env, SettingError};
use journal::JournalEntry;

/// Says that no traces are sent, if the environment says where to.
///
/// # Errors
/// Never.
pub(crate) fn init(env: &Env, _program: &'static str) -> Result<(), SettingError> {
    let asked_for = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
    if let Some(name) = asked_for.into_iter().find(|name| env.optional(name).is_some()) {
        tracing::warn!("{name} is set, but traces are not built in: docs/traces.md");
    }
    Ok(())
}

/// Nothing.
pub(crate) fn note(_entry: &JournalEntry) {}

/// Nothing.
pub(crate) async fn flush() {}

#[cfg(test)]
mod tests {
    use super::*;
    use journal::{EntryBuilder, JournalEvent};

    #[tokio::test]
    async fn a_program_without_traces_runs_all_the_same_where_they_are_asked_for() {
        let env = Env::of(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1]:4318")]);

        assert_eq!(init(&env, "webhook"), Ok(()));

        note(&EntryBuilder::new(&"01".repeat(32), "task", 0, 1).enter(JournalEvent::Opened {}, 1_000));
        flush().await;
    }
}
