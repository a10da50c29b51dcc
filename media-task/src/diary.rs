//! Writes what is known of calls: their journals, a line in the log at once and an item in the table as soon as may be;
//! and what was said in them, which goes into the table alone.
//!
//! Nobody waits for the table: what is to be written queues, and should the table be gone for long, the oldest that was
//! taken is kept trying and new things are lost to it.

use anyhow::Context;
use journal::{Entry, Line};
use ledger::items::{Item, number, text, to_item};
use ledger::{Conclusion, Ledger, Levels};
use protocol::keys;
use serde::Serialize;
use service::time::now_ms;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// So many things may wait for the table.
const WAITING: usize = 4_096;

/// How long to wait before something is written again.
const PAUSE: Duration = Duration::from_secs(1);

/// So often something is tried.
const TRIES: u32 = 30;

/// How soon what a caller left is tried again, and how often in all: the agent waits for it.
const LEFT_AGAIN: Duration = Duration::from_millis(300);
const LEFT_TRIES: u32 = 5;

/// The way into the table for everything that nobody waits for.
#[derive(Debug, Clone)]
pub struct Diary {
    ledger: Ledger,
    pages: mpsc::Sender<Page>,
}

/// Something to write.
enum Page {
    Entry(Box<Entry>),
    Item(Item),
    Conclusion(Box<Conclusion>),
    /// Nothing: somebody waits for everything before it.
    Bookmark(oneshot::Sender<()>),
}

/// Where a caller leaves something for people: a message, or that they want to be called back.
#[derive(Debug)]
pub struct Left {
    ledger: Ledger,
    pk: String,
    sk: String,
    ttl: u64,
}

impl Diary {
    /// Starts writing to the table.
    pub fn open(ledger: Ledger) -> Self {
        let (pages, waiting) = mpsc::channel(WAITING);
        tokio::spawn(write(ledger.clone(), waiting));
        Self { ledger, pages }
    }

    /// Returns once all that was noted until now is in the table, or was given up.
    pub async fn written(&self) {
        let (done, is_done) = oneshot::channel();
        if self.pages.send(Page::Bookmark(done)).await.is_ok() {
            let _ = is_done.await;
        }
    }

    /// Notes an entry of a call's journal.
    pub fn note(&self, entry: Entry) {
        service::events::tell(&entry);
        self.queue(Page::Entry(Box::new(entry)));
    }

    /// Keeps a line of a conversation for so many days.
    pub fn keep_line(&self, call_ref: &str, line: &Line, days: u32) {
        self.queue(Page::Item(item(line, call_ref, &keys::line(line.place), days)));
    }

    /// Keeps how loud each side of a call was, for so many days.
    pub fn keep_levels(&self, call_ref: &str, levels: &Levels, days: u32) {
        self.queue(Page::Item(keyed(levels.to_item(), call_ref, keys::LEVELS, days)));
    }

    /// Keeps a call's summary, and counts what it cost to what its number spent that day.
    pub fn conclude(&self, conclusion: Conclusion) {
        self.queue(Page::Conclusion(Box::new(conclusion)));
    }

    /// Where the caller of this call leaves their n-th thing for people, for so many days.
    pub fn left_by(&self, call_ref: &str, n: u64, days: u32) -> Left {
        Left {
            ledger: self.ledger.clone(),
            pk: keys::call(call_ref),
            sk: keys::left(n),
            ttl: forget_in(days),
        }
    }

    fn queue(&self, page: Page) {
        if self.pages.try_send(page).is_err() {
            tracing::error!("Too much waits for the table: something is not written there");
        }
    }
}

impl Left {
    /// Writes down what the caller leaves: its kind, and the thing itself, a map. They are told whether that was done.
    ///
    /// # Errors
    /// When the table cannot be written for a second and more.
    pub async fn store(&self, kind: &str, what: &impl Serialize) -> anyhow::Result<()> {
        let mut item = to_item(what);
        item.insert("pk".to_owned(), text(&self.pk));
        item.insert("sk".to_owned(), text(&self.sk));
        item.insert("kind".to_owned(), text(kind));
        item.insert("left_at_ms".to_owned(), number(now_ms()));
        item.insert(keys::TTL.to_owned(), number(self.ttl));
        for attempt in 1.. {
            match self.ledger.put(item.clone()).await {
                Ok(()) => break,
                Err(error) if attempt == LEFT_TRIES => {
                    return Err(error).context("cannot write to the table");
                }
                Err(_) => tokio::time::sleep(LEFT_AGAIN).await,
            }
        }
        Ok(())
    }
}

async fn write(ledger: Ledger, mut waiting: mpsc::Receiver<Page>) {
    while let Some(page) = waiting.recv().await {
        if let Page::Bookmark(done) = page {
            let _ = done.send(());
            continue;
        }
        for attempt in 1..=TRIES {
            match page.write(&ledger).await {
                Ok(()) => break,
                Err(error) if attempt == TRIES => {
                    tracing::error!("Something is not in the table: {error:#}");
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

impl Page {
    async fn write(&self, ledger: &Ledger) -> anyhow::Result<()> {
        match self {
            Self::Entry(entry) => ledger.write(entry).await,
            Self::Item(item) => ledger.put(item.clone()).await,
            Self::Conclusion(conclusion) => ledger.conclude(conclusion).await.map(drop),
            Self::Bookmark(_) => Ok(()),
        }
    }
}

fn item(what: &impl Serialize, call_ref: &str, sk: &str, days: u32) -> Item {
    keyed(to_item(what), call_ref, sk, days)
}

fn keyed(mut item: Item, call_ref: &str, sk: &str, days: u32) -> Item {
    item.insert("pk".to_owned(), text(keys::call(call_ref)));
    item.insert("sk".to_owned(), text(sk));
    item.insert(keys::TTL.to_owned(), number(forget_in(days)));
    item
}

/// When what is kept for so many days is forgotten, seconds since 1970.
pub(crate) fn forget_in(days: u32) -> u64 {
    now_ms() / 1_000 + u64::from(days) * 24 * 60 * 60
}
