//! Asks the business's system who calls, while the phone rings, and passes on what it says.
//!
//! | module | what it does |
//! |---|---|
//! | `progress` | decides what the answer means for the call, and how long it is waited for |
//! | `request` | sends the request, and reads the reply |

mod progress;
mod request;

use crate::asking::ask_twice;
use internal_api::client::CallControl;
use internal_api::order::{Order, Reply};
pub(crate) use progress::{Known, LookupStep, Settled, Wish};
use progress::{LookupProgress, Patience, Unanswered};
pub(crate) use request::LookupPost;
use std::time::Instant;
use tokio::sync::mpsc;

/// The lookup of one call, if its agent has one.
pub(crate) struct CallerLookup {
    /// The request, until it is sent.
    request: Option<LookupPost>,
    progress: Option<LookupProgress>,
    /// Whether the call is answered only once the lookup is settled.
    waits: bool,
    inputs: (mpsc::Sender<LookupInput>, mpsc::Receiver<LookupInput>),
}

/// An input of a lookup.
#[derive(Debug)]
pub(crate) enum LookupInput {
    /// The business's answer, or that there is none.
    Answer(Result<Known, Unanswered>),
    /// Call-control's decision; `None` if it did not decide.
    Decision(Option<Reply>),
}

/// What a call may wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waits {
    /// The call is not accepted before the lookup is settled, and it rings until then at the latest.
    UntilSettled { ring_deadline: Instant },
    /// The call is accepted whenever it is ready, or was before.
    No,
}

impl CallerLookup {
    /// Returns the lookup of a call whose agent has none.
    pub(crate) fn none() -> Self {
        Self { request: None, progress: None, waits: false, inputs: mpsc::channel(1) }
    }

    /// Begins a lookup, whose request is still to be [sent](CallerLookup::send); `may_decide` if its answer may change who takes the call.
    pub(crate) fn begin(request: LookupPost, waits: Waits, may_decide: bool, now: Instant) -> Self {
        let patience = match waits {
            Waits::UntilSettled { ring_deadline } => Some(Patience::until(ring_deadline, now)),
            Waits::No => None,
        };
        let progress = LookupProgress::begin(request.timeout(), patience, may_decide, now);
        Self {
            request: Some(request),
            progress: Some(progress),
            waits: patience.is_some(),
            inputs: mpsc::channel(2),
        }
    }

    /// Sends the request, once. The business is asked about calls that this task has, not about offers that it refuses or gets again.
    pub(crate) fn send(&mut self) {
        let Some(request) = self.request.take() else { return };
        let answers = self.inputs.0.clone();
        tokio::spawn(async move {
            // The receiver is gone once the call is over.
            let _ = answers.send(LookupInput::Answer(request.send().await)).await;
        });
    }

    /// Whether the call is not to be answered yet.
    pub(crate) fn is_awaited(&self) -> bool {
        self.waits && self.progress.as_ref().is_some_and(|progress| !progress.is_settled())
    }

    /// Whether the call was not to be answered before the lookup is settled.
    pub(crate) fn waits(&self) -> bool {
        self.waits
    }

    /// Returns the next input. Cancel safe.
    pub(crate) async fn next(&mut self) -> LookupInput {
        self.inputs.1.recv().await.expect("we hold a sender ourselves")
    }

    /// Handles an input.
    pub(crate) fn handle(&mut self, input: LookupInput, now: Instant) {
        let Some(progress) = &mut self.progress else { return };
        match input {
            LookupInput::Answer(answer) => progress.handle_answer(answer, now),
            LookupInput::Decision(reply) => progress.handle_decision(reply),
        }
    }

    /// Returns when [`CallerLookup::handle_timeout`] is due.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.progress.as_ref()?.poll_timeout()
    }

    /// Goes on without what is overdue.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if let Some(progress) = &mut self.progress {
            progress.handle_timeout(now);
        }
    }

    /// Returns the next step for the call to take.
    pub(crate) fn poll_step(&mut self) -> Option<LookupStep> {
        self.progress.as_mut()?.poll_step()
    }

    /// Asks call-control about what the business wishes, twice if need be, for its first decision stands; it comes as an input.
    pub(crate) fn ask(&self, control: &CallControl, order: Order) {
        let (control, decisions) = (control.clone(), self.inputs.0.clone());
        tokio::spawn(async move {
            let reply = ask_twice(&control, &order).await;
            if let Err(error) = &reply {
                let call_ref = order.call_ref();
                tracing::warn!(
                    ?call_ref,
                    "call-control did not decide about a lookup, the call goes on: {error:#}"
                );
            }
            let _ = decisions.send(LookupInput::Decision(reply.ok())).await;
        });
    }
}
