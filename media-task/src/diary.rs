//! Writes the journals of calls: a line in the log at once, an item in the table as soon as may be.
//!
//! Nobody waits for the table: entries queue, and should it be gone for long, the oldest that were taken are kept trying
//! and new ones are only logged.

use journal::Entry;
use ledger::Ledger;
use std::time::Duration;
use tokio::sync::mpsc;

/// So many entries may wait for the table.
const WAITING: usize = 4_096;

/// How long to wait before an entry is written again.
const PAUSE: Duration = Duration::from_secs(1);

/// So often an entry is tried.
const TRIES: u32 = 30;

/// The way into the journals.
#[derive(Debug, Clone)]
pub struct Diary {
    entries: mpsc::Sender<Entry>,
}

impl Diary {
    /// Starts writing to the table. The task ends once all that was noted is written and every `Diary` is gone.
    pub fn open(ledger: Ledger) -> (Self, tokio::task::JoinHandle<()>) {
        let (entries, waiting) = mpsc::channel(WAITING);
        (Self { entries }, tokio::spawn(write(ledger, waiting)))
    }

    /// Notes an entry.
    pub fn note(&self, entry: Entry) {
        service::logs::line(&entry.to_line());
        if self.entries.try_send(entry).is_err() {
            tracing::error!("Too many journal entries wait for the table: one is only in the log");
        }
    }
}

async fn write(ledger: Ledger, mut waiting: mpsc::Receiver<Entry>) {
    while let Some(entry) = waiting.recv().await {
        for attempt in 1..=TRIES {
            match ledger.write(&entry).await {
                Ok(()) => break,
                Err(error) if attempt == TRIES => {
                    tracing::error!("A journal entry is only in the log: {error:#}");
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}
