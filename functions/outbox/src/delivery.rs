//! One delivery: the event's body from what is stored of its call, the request, and the record of its result.

use crate::Outbox;
use crate::destinations::Destination;
use crate::extracting::{self, Extracted};
use crate::stored_call::{self, Call, Stored};
use deliveries::{BodyError, Event, NextStep, NoReply, TryResult, body, next_step};
use journal::{EntryBuilder, EntryContext, JournalEvent};
use operator_http::{OperatorHttpError, Post, Reply, is_webhook_secret};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use service::time::now_ms;
use std::time::Duration;
use store::{Delivery, OutboxItem, OutboxTry};

/// The timeout of a request to a business.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The header with the name of the event.
const EVENT: HeaderName = HeaderName::from_static("x-ahoy-event");

/// Whether a host takes more events for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HostState {
    /// Nothing is known against it.
    Fine,
    /// It cannot be reached, or does not reply.
    Silent,
}

/// Whether an event can be delivered, as far as the model is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answered {
    /// It can.
    Ready,
    /// It is tried again later, or not at all, which is recorded.
    Recorded,
    /// There was no time to ask.
    PutBack,
}

/// The delivery of a claimed event.
pub(crate) struct Delivering<'a> {
    outbox: &'a Outbox,
    item: &'a OutboxItem,
}

impl<'a> Delivering<'a> {
    pub(crate) fn new(outbox: &'a Outbox, item: &'a OutboxItem) -> Self {
        Self { outbox, item }
    }

    /// Tries the event once, and records what came of it. An event of a call that is forgotten is dropped. Where the model is needed,
    /// [`Delivering::ask`] comes first.
    pub(crate) async fn run(&self, destination: &Destination) -> anyhow::Result<HostState> {
        let began_ms = now_ms();
        let Some((call, body)) = self.prepare(destination).await? else { return Ok(HostState::Fine) };
        let result = self.post(destination, body).await;
        self.finish(result, began_ms, Some(&call)).await?;
        Ok(host_state(result))
    }

    /// Asks the model for what the event needs, if it was not asked before, and keeps its answer with the call.
    pub(crate) async fn ask(&self, destination: &Destination) -> anyhow::Result<Answered> {
        let Some(call) = self.call(destination).await? else { return Ok(Answered::Recorded) };
        match self.outbox.extract(destination, &call, self.item).await? {
            Extracted::Ready => Ok(Answered::Ready),
            Extracted::Later { retry_after } => {
                self.finish_without_reply(NoReply::Extraction { retry_after }).await?;
                Ok(Answered::Recorded)
            }
        }
    }

    /// Returns the event's body and its call, after the model was asked; `None` if nothing is to be sent now, which is recorded.
    async fn prepare(&self, destination: &Destination) -> anyhow::Result<Option<(Box<Call>, Vec<u8>)>> {
        let Some(call) = self.call(destination).await? else { return Ok(None) };
        let extraction = extracting::kept(destination, &call);
        match body(&self.event(destination), &call.facts, &destination.after, extraction.as_ref()) {
            Ok(body) => Ok(Some((call, body))),
            Err(BodyError::Gone) => self.drop().await,
            Err(BodyError::NotYet) => {
                self.finish_without_reply(NoReply::Journal).await?;
                Ok(None)
            }
        }
    }

    /// Returns the call; `None` if it is gone or cannot be read, which is recorded.
    async fn call(&self, destination: &Destination) -> anyhow::Result<Option<Box<Call>>> {
        match self.stored(destination).await? {
            Stored::Call(call) => Ok(Some(call)),
            Stored::Gone => {
                if destination.extract().is_some() {
                    // The model may take half a minute, in which the caller can have been forgotten.
                    self.outbox.store.delete_extraction(&self.item.call_ref()).await?;
                }
                self.drop().await
            }
            Stored::Unreadable => {
                self.finish_without_reply(NoReply::Unreadable).await?;
                Ok(None)
            }
        }
    }

    /// Records that no further try is made.
    pub(crate) async fn give_up(&self) -> anyhow::Result<()> {
        self.finish(TryResult::None(NoReply::Broken), now_ms(), None).await
    }

    /// Records a try that sent nothing.
    pub(crate) async fn finish_without_reply(&self, why: NoReply) -> anyhow::Result<()> {
        self.finish(TryResult::None(why), now_ms(), None).await
    }

    /// Deletes an event that no file asks for, which the journal of its call says.
    pub(crate) async fn drop_unwanted(&self) -> anyhow::Result<()> {
        let agent = self.item.agent.as_deref().unwrap_or_default();
        let stored = stored_call::read(&self.outbox.store, &self.item.call_ref(), agent).await?;
        self.drop::<()>().await?;
        let Stored::Call(call) = stored else { return Ok(()) };
        let (what, tries) = (self.item.event.to_string(), u64::from(self.item.tries));
        let (outcome, why) = ("unwanted".to_owned(), String::new());
        let unwanted = JournalEvent::AfterSent { what, outcome, status: None, why, tries, took_ms: 0 };
        self.note(unwanted, Some(&call)).await
    }

    async fn stored(&self, destination: &Destination) -> store::Result<Stored> {
        stored_call::read(&self.outbox.store, &self.item.call_ref(), &destination.agent.name).await
    }

    fn event(&self, destination: &Destination) -> Event {
        Event {
            id: self.item.key().to_string(),
            what: destination.what,
            at_ms: self.item.at_ms,
            about: self.item.of.clone(),
            fence: self.item.fence,
        }
    }

    async fn post(&self, destination: &Destination, body: Vec<u8>) -> TryResult {
        let secret = self.outbox.secret.current().await;
        let key = secret.tool_secrets.get(&destination.after.sign_with);
        let Some(key) = key.filter(|key| is_webhook_secret(key)) else {
            return TryResult::None(NoReply::Secret);
        };
        let id = self.item.key().to_string();
        let event = HeaderValue::from_static(destination.what.as_str());
        let sent = self.outbox.http.post(Post {
            url: &destination.after.url,
            allowed_hosts: &destination.agent.tools.allowed_hosts,
            headers: HeaderMap::from_iter([(EVENT, event)]),
            body,
            key,
            webhook_id: Some(&id),
            timeout: TIMEOUT,
            // What a business answers says nothing beyond its status.
            largest_reply: 0,
        });
        match sent.await {
            Ok(Reply { status, retry_after, .. }) => TryResult::Status { status, retry_after },
            Err(error) => TryResult::None(no_reply(error)),
        }
    }

    /// Deletes the event, since what it is about is gone.
    async fn drop<T>(&self) -> anyhow::Result<Option<T>> {
        self.outbox.store.drop_from_outbox(&self.item.key()).await?;
        Ok(None)
    }

    /// Records the result of a try, for the next one and in the journal of the call.
    async fn finish(&self, result: TryResult, began_ms: u64, call: Option<&Call>) -> anyhow::Result<()> {
        let now_ms = now_ms();
        let step = next_step(result, self.item.tries, now_ms);
        let (status, why) = (result.status(), result.why());
        let tried = OutboxTry { next: delivery(step), status, why };
        if !self.outbox.store.finish_outbox_try(self.item, &tried, now_ms).await? {
            tracing::warn!(call_ref = %self.item.call_ref(), what = %self.item.event, "the claim ended before the try did");
        }
        self.note(self.journal_event(step, result, now_ms.saturating_sub(began_ms)), call).await
    }

    fn journal_event(&self, step: NextStep, result: TryResult, took_ms: u64) -> JournalEvent {
        let (what, tries) = (self.item.event.to_string(), u64::from(self.item.tries));
        let (status, why) = (result.status().map(u64::from), result.why().unwrap_or_default().to_owned());
        let outcome = match step {
            NextStep::Delivered => "delivered",
            NextStep::Refused => "refused",
            NextStep::Again(_) => "again",
            NextStep::GiveUp => return JournalEvent::AfterGivenUp { what, status, why, tries },
        };
        JournalEvent::AfterSent { what, outcome: outcome.to_owned(), status, why, tries, took_ms }
    }

    /// Records an event in the journal of the call, under a key of this event's and this try's own.
    async fn note(&self, event: JournalEvent, call: Option<&Call>) -> anyhow::Result<()> {
        let key = self.item.key();
        let n = key.n.map(|n| format!("-{n}")).unwrap_or_default();
        let writer = format!("outbox-{}{n}", key.event);
        let of_unread_call = || {
            let context = EntryContext { number: Some(self.item.number.clone()), ..EntryContext::default() };
            EntryBuilder::new(&key.call_ref, &writer, None, 0).at(context)
        };
        let mut journal = call.map_or_else(of_unread_call, |call| call.journal(&writer));
        let mut entry = journal.enter(event, now_ms());
        entry.sequence = self.item.number_of_try();
        service::events::report(&entry);
        Ok(self.outbox.store.write(&entry).await?)
    }
}

/// Returns what a result says about the host. A wrong setting of one agent's says nothing.
fn host_state(result: TryResult) -> HostState {
    match result {
        TryResult::None(NoReply::Connection | NoReply::Broken | NoReply::Timeout) => HostState::Silent,
        TryResult::Status { .. } | TryResult::None(_) => HostState::Fine,
    }
}

fn delivery(step: NextStep) -> Delivery {
    match step {
        NextStep::Delivered => Delivery::Delivered,
        NextStep::Refused => Delivery::Refused,
        NextStep::GiveUp => Delivery::GivenUp,
        NextStep::Again(at_ms) => Delivery::Again(at_ms),
    }
}

fn no_reply(error: OperatorHttpError) -> NoReply {
    match error {
        OperatorHttpError::Host => NoReply::Host,
        OperatorHttpError::Address => NoReply::Address,
        OperatorHttpError::Connection => NoReply::Connection,
        OperatorHttpError::Broken => NoReply::Broken,
        OperatorHttpError::Timeout(_) => NoReply::Timeout,
    }
}
