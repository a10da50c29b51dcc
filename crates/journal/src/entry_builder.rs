//! Builds the entries of a call in the order of its journal.

use crate::entry::{EntryContext, JournalEntry};
use crate::event::JournalEvent;
use call::{CallRef, NumberId, Stage, TaskId};

/// Builds the entries of one call by one writer.
#[derive(Debug, Clone)]
pub struct EntryBuilder {
    call_ref: CallRef,
    writer: String,
    rang_at_ms: Option<u64>,
    version: u64,
    sequence: u64,
    context: EntryContext,
}

impl EntryBuilder {
    /// Returns a builder for a call that began to ring at `rang_at_ms`, if that is known.
    pub fn new(call_ref: &CallRef, writer: &str, rang_at_ms: impl Into<Option<u64>>, version: u64) -> Self {
        Self {
            call_ref: call_ref.clone(),
            writer: writer.to_owned(),
            rang_at_ms: rang_at_ms.into(),
            version,
            sequence: 0,
            context: EntryContext::default(),
        }
    }

    /// Sets the line, number, task and phase of the entries to come.
    #[must_use]
    pub fn at(self, context: EntryContext) -> Self {
        Self { context, ..self }
    }

    /// Sets the phase of the entries to come.
    pub fn enter_phase(&mut self, phase: Stage) {
        self.context.phase = Some(phase.into());
    }

    /// Makes the entries to come sort after this version of the call's state.
    pub fn advance_to(&mut self, version: u64) {
        if version > self.version {
            self.version = version;
            self.sequence = 0;
        }
    }

    /// Returns the next entry.
    pub fn enter(&mut self, event: JournalEvent, now_ms: u64) -> JournalEntry {
        let sequence = self.sequence;
        self.sequence += 1;
        JournalEntry {
            call_ref: self.call_ref.clone(),
            at_ms: now_ms,
            since_ring_ms: self.rang_at_ms.map(|rang_at_ms| now_ms.saturating_sub(rang_at_ms)),
            version: self.version,
            writer: self.writer.clone(),
            sequence,
            context: self.context_of(&event),
            event,
        }
    }

    fn context_of(&self, event: &JournalEvent) -> EntryContext {
        let fields = event.fields();
        let named = |name: &str| fields.get(name)?.as_str().map(str::to_owned);
        EntryContext {
            line: self.context.line.clone(),
            number: named("number").map(NumberId::from).or_else(|| self.context.number.clone()),
            task: named("task").map(TaskId::from).or_else(|| self.context.task.clone()),
            phase: self.context.phase.clone(),
        }
    }
}

/// Returns the builder of a call that is being answered, for tests.
#[cfg(test)]
pub(crate) fn of_answering_call() -> EntryBuilder {
    let context = EntryContext {
        number: Some("220".into()),
        task: Some("0a".into()),
        phase: Some(Stage::Answering.into()),
        ..EntryContext::default()
    };
    EntryBuilder::new(&"ab12".into(), "call-control", 1_000, 3).at(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_restarts_with_each_version() {
        let mut journal = EntryBuilder::new(&"ab12".into(), "task", 0, 1);

        let first = journal.enter(JournalEvent::Opened {}, 0);
        let second = journal.enter(JournalEvent::Opened {}, 0);
        journal.advance_to(2);
        let third = journal.enter(JournalEvent::Opened {}, 0);

        assert_eq!([first.sequence, second.sequence, third.sequence], [0, 1, 0]);
    }
}
