//! A caller by telephone, and what is known of the call afterwards.

use super::caller::count;
use crate::{Story, entries, telephone};
use call::{CallRef, Ending};
use journal::JournalEvent;
use sim_audio::hearing::{HEARD, find};
use sim_audio::{Clip, clips};
use sim_openai::sip::{Action, CallReport, CallSpec, CarrierEventKind, HungUpBy, PlacedCall, SipFault};
use std::time::Duration;
use store::{StoredCall, call_ref};

/// How long a caller waits for the other side.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the work after a call's end may take.
const SETTLED_WITHIN: Duration = Duration::from_secs(40);

const LONGEST_SPEECH: Duration = Duration::from_secs(60);

const BY_CALLER: CarrierEventKind = CarrierEventKind::Bye(HungUpBy::Caller);

const BY_CLIENT: CarrierEventKind = CarrierEventKind::Bye(HungUpBy::Client);

/// A simulated caller in a call on the SIP line.
pub struct TelephoneCaller<'a> {
    story: &'a Story,
    call: PlacedCall,
}

/// The final state of a call on the SIP line, read once nothing is left to do for it.
#[derive(Debug)]
pub struct AfterTelephone {
    /// The ending in the table.
    pub ending: Ending,
    /// The end that the carrier saw.
    pub at_carrier: CarrierEventKind,
    /// What OpenAI saw of the call.
    pub report: CallReport,
    /// The events of its journal.
    pub journal: Vec<JournalEvent>,
}

impl Story {
    /// Places a call by the trunk to the named number.
    pub fn dial(&self) -> TelephoneCaller<'_> {
        self.dial_as(telephone::spec())
    }

    /// The same, with an injected fault.
    pub fn dial_with(&self, fault: SipFault) -> TelephoneCaller<'_> {
        self.dial_as(telephone::spec().fault(fault))
    }

    /// Places a call as this says.
    pub fn dial_as(&self, spec: CallSpec) -> TelephoneCaller<'_> {
        TelephoneCaller { story: self, call: self.model.trunk().ring(spec) }
    }

    /// Places a call by the trunk, and hears the greeting out.
    pub async fn dialled_and_greeted(&self) -> TelephoneCaller<'_> {
        let caller = self.dial();
        caller.hears(&clips::agent_greeting()).await;
        caller
    }
}

impl TelephoneCaller<'_> {
    /// Returns the call's `call_ref`.
    pub fn call_ref(&self) -> CallRef {
        call_ref(&self.call.id())
    }

    /// Returns the call as carrier and OpenAI have it.
    pub fn phone(&self) -> &PlacedCall {
        &self.call
    }

    /// Waits until the call is answered, and returns how long it rang.
    pub async fn is_answered(&self) -> Duration {
        let answered = self.call.answered(PATIENCE).await.expect("the call is answered");
        answered - self.call.report().placed_at
    }

    /// Waits until the call is answered and the agent speaks.
    pub async fn is_greeted(&self) {
        self.call.agent_speaks(PATIENCE).await.expect("the agent greets");
    }

    /// Waits until the agent is silent, having said all of this clip.
    pub async fn hears(&self, clip: &Clip) {
        loop {
            self.call.agent_falls_silent(LONGEST_SPEECH).await.expect("the agent comes to an end");
            if self.has_heard(clip) {
                return;
            }
            let spoken = self.call.report().agent.len();
            let more = self.call.wait_until("more of the agent", PATIENCE, |report| {
                (report.agent.len() > spoken).then_some(())
            });
            more.await.unwrap_or_else(|_| panic!("the agent does not say {}", clip.name));
        }
    }

    /// Says something, and hears the whole answer.
    pub async fn asks(&self, question: &Clip, answer: &Clip) {
        self.call.say(question);
        self.hears(answer).await;
    }

    /// Waits until the call is over, and returns the end that the carrier saw.
    pub async fn is_cut_off(&self) -> CarrierEventKind {
        self.call.over(LONGEST_SPEECH).await.expect("the call ends").kind
    }

    /// Whether the caller has heard all of this clip.
    pub fn has_heard(&self, clip: &Clip) -> bool {
        find(&clip.samples, &self.call.heard_by_caller()).is_some_and(|found| found.correlation >= HEARD)
    }

    /// How often the caller has heard this clip.
    pub fn times_heard(&self, clip: &Clip) -> usize {
        count(clip, &self.call.heard_by_caller())
    }

    /// Returns the stored state of the call, if it has one.
    pub async fn stored(&self) -> Option<StoredCall> {
        self.story.calls.call(&self.call_ref()).await.expect("the table can be read")
    }

    /// Waits until the stored state of the call meets a condition.
    pub async fn comes_to(&self, wished: impl Fn(&StoredCall) -> bool) -> StoredCall {
        let found = self.story.calls.call_until(&self.call_ref(), SETTLED_WITHIN, wished).await;
        found.expect("the call's state comes to what was wished")
    }

    /// Returns the events of the call's journal.
    pub async fn journal(&self) -> Vec<JournalEvent> {
        let entries = self.story.calls.journal(&self.call_ref()).await.expect("the journal can be read");
        entries.into_iter().map(|entry| entry.event).collect()
    }

    /// Waits until the journal has an event.
    pub async fn waits_for(&self, wanted: impl Fn(&JournalEvent) -> bool) {
        let has_it = async || self.journal().await.iter().any(&wanted);
        self.story.until("an entry of the journal", has_it).await;
    }

    /// Returns the media task that the call was assigned to last.
    pub async fn holder(&self) -> String {
        let journal = self.journal().await;
        let claims = entries!(journal, JournalEvent::Claimed { task, .. } => task.to_string());
        claims.last().expect("a call that is answered has a task").clone()
    }

    /// Hangs up, and waits until the call is settled.
    pub async fn hangs_up(self) -> AfterTelephone {
        self.call.hang_up();
        self.afterwards().await
    }

    /// Waits until the call is over and nothing is left to do for it. OpenAI has nothing to object to then.
    pub async fn afterwards(self) -> AfterTelephone {
        let at_carrier = self.is_cut_off().await;
        let record = self.comes_to(|record| record.call.has_ended() && record.call.due.is_none()).await;
        let report = self.call.report();
        let session = report.session.map(|session| self.story.model.sessions().swap_remove(session));
        assert_eq!(session.map(|session| session.violations).unwrap_or_default(), [""; 0]);
        assert_eq!(self.complaints(), [""; 0], "{report:?}");
        AfterTelephone {
            ending: record.call.ending().expect("it has ended"),
            at_carrier,
            report,
            journal: self.journal().await,
        }
    }

    /// Returns what OpenAI objects to in this call.
    fn complaints(&self) -> Vec<String> {
        let trunk = self.story.model.trunk();
        let number = trunk.calls().iter().position(|call| call.id() == self.call.id());
        let of_it = format!("call {}: ", number.expect("it was placed"));
        trunk.complaints().into_iter().filter(|complaint| complaint.starts_with(&of_it)).collect()
    }
}

impl AfterTelephone {
    /// Asserts that the call was accepted once, and that the caller hung up.
    pub fn was_ordinary(&self) {
        assert_eq!((self.ending, &self.at_carrier), (Ending::CallerHungUp, &BY_CALLER), "{self:?}");
        assert_eq!(self.requests(), [Action::Accept], "{self:?}");
    }

    /// Asserts that the agent hung up the accepted call.
    pub fn was_hung_up(&self, ending: Ending) {
        assert_eq!((self.ending, &self.at_carrier), (ending, &BY_CLIENT), "{self:?}");
        assert_eq!(self.requests(), [Action::Accept, Action::Hangup], "{self:?}");
    }

    /// Asserts that the call was rejected with this status, and never accepted.
    pub fn was_rejected(&self, ending: Ending, status: u16) {
        assert_eq!(
            (self.ending, &self.at_carrier),
            (ending, &CarrierEventKind::Rejected(status)),
            "{self:?}"
        );
        assert_eq!(self.requests(), [Action::Reject], "{self:?}");
    }

    /// Returns the requests about the call that took effect, in order.
    pub fn requests(&self) -> Vec<Action> {
        let done = self.report.requests.iter().filter(|request| request.took_effect);
        done.map(|request| request.action).collect()
    }

    /// Returns the statuses of the answers to the accepts, in order.
    pub fn accepts(&self) -> Vec<u16> {
        self.report.requests_for(Action::Accept).map(|request| request.status).collect()
    }

    /// Returns the statuses of the answers to the call's webhooks, in order; `None` for an attempt that was not answered.
    pub fn webhooks(&self) -> Vec<Option<u16>> {
        self.report.deliveries.iter().map(|delivery| delivery.status).collect()
    }

    /// How many times it was assigned to a media task.
    pub fn assignments(&self) -> usize {
        entries!(self.journal, JournalEvent::Claimed { .. } => ()).len()
    }

    /// Returns the tools that were used, with their outcomes.
    pub fn tools(&self) -> Vec<String> {
        entries!(self.journal, JournalEvent::Tool { tool, outcome, .. } => format!("{tool}: {outcome}"))
    }

    /// How many events of a kind its journal has.
    pub fn count(&self, is_of_kind: impl Fn(&JournalEvent) -> bool) -> usize {
        self.journal.iter().filter(|event| is_of_kind(event)).count()
    }
}
