//! A caller who rings, talks and hangs up, and what is known of the call afterwards.

use crate::testbed::Testbed;
use crate::{Story, entries};
use call::{CallRef, Ending};
use journal::JournalEvent;
use sim_audio::hearing::{HEARD, find};
use sim_audio::{Clip, clips};
use sim_meta::{ActionName, Event, ObservationKind, TriedAction};
use std::time::Duration;
use store::{StoredCall, call_ref};

/// How long a caller waits for the other side.
const PATIENCE: Duration = Duration::from_secs(20);

const LONGEST_SPEECH: Duration = Duration::from_secs(90);

/// How long the work after a call's end may take: a vanished caller is noticed after 20 s.
const SETTLED_WITHIN: Duration = Duration::from_secs(40);

/// A simulated caller in a call.
pub struct Caller<'a> {
    story: &'a Story,
    call: sim_meta::Call,
}

/// The final state of a call, read once nothing is left to do for it.
#[derive(Debug)]
pub struct Afterwards {
    /// The ending in the table.
    pub ending: Ending,
    /// The ending at Meta.
    pub at_meta: sim_meta::Ending,
    /// The actions that took effect at Meta, in order.
    pub actions: Vec<ActionName>,
    /// How many messages the caller received.
    pub messages: usize,
    /// How many times it was assigned to a media task.
    pub assignments: usize,
    /// How many model sessions were opened, in all calls of the story.
    pub connections: usize,
    /// The events of its journal.
    pub journal: Vec<JournalEvent>,
}

impl<'a> Caller<'a> {
    pub(crate) fn new(story: &'a Story, call: sim_meta::Call) -> Self {
        Self { story, call }
    }

    /// Returns the call's id at Meta.
    pub fn id(&self) -> &str {
        self.call.id()
    }

    /// Returns the call's `call_ref`.
    pub fn call_ref(&self) -> CallRef {
        call_ref(self.id())
    }

    /// Returns the caller's phone.
    pub fn phone(&self) -> &sim_meta::Call {
        &self.call
    }

    /// Waits until the call is answered.
    pub async fn is_picked_up(&self) {
        self.call.answered(PATIENCE).await.expect("the call is answered");
    }

    /// Waits until the call is answered and the agent speaks.
    pub async fn is_greeted(&self) {
        self.is_picked_up().await;
        self.call.agent_speaks(PATIENCE).await.expect("the agent greets");
    }

    /// Waits until the call is answered and the greeting was heard.
    pub async fn hears_the_greeting(&self) {
        self.is_greeted().await;
        self.hears_out(&clips::agent_greeting()).await;
    }

    /// Hears the greeting, asks, and hears the answer.
    pub async fn talks(&self) {
        self.hears_the_greeting().await;
        self.asks(&clips::caller_question(), &clips::agent_answer()).await;
    }

    /// Hangs up, and waits until the call is settled.
    pub async fn hangs_up(self) -> Afterwards {
        self.call.hang_up().await;
        self.afterwards().await
    }

    /// Waits until the call is over and settled.
    pub async fn afterwards(self) -> Afterwards {
        self.call.ended(Duration::from_secs(60)).await.expect("the call ends");
        let answered = ObservationKind::WebhookAnswered { event: Event::Terminate, status: Some(200) };
        self.story.observes(self.id(), |seen| *seen == answered).await;
        self.settles().await
    }

    /// Waits until nothing is left to do for the call, whether or not Meta has announced its end.
    pub async fn settles(self) -> Afterwards {
        let settled = |record: &StoredCall| record.call.has_ended() && record.call.pending.is_empty();
        let record = self.testbed().calls.call_until(&self.call_ref(), SETTLED_WITHIN, settled).await;
        let record = record.expect("the call ends, with nothing left to do");
        let at_meta = self.call.ended(PATIENCE).await.expect("the call is over at Meta");
        self.story.is_at_rest().await;
        let journal = self.journal().await;
        Afterwards {
            ending: record.call.ending().expect("it has ended"),
            at_meta,
            actions: self.actions(),
            messages: self.testbed().meta.messages().len(),
            assignments: entries!(journal, JournalEvent::Claimed { .. } => ()).len(),
            connections: self.testbed().model.connections(),
            journal,
        }
    }

    /// Returns the events of the call's journal.
    pub async fn journal(&self) -> Vec<JournalEvent> {
        let entries = self.testbed().calls.journal(&self.call_ref()).await.expect("the journal can be read");
        entries.into_iter().map(|entry| entry.event).collect()
    }

    /// Returns the actions that took effect at Meta so far.
    pub fn actions(&self) -> Vec<ActionName> {
        let calls = self.testbed().meta.calls();
        let tried = calls.into_iter().filter(|call| call.id == self.id()).flat_map(|call| call.actions);
        tried.filter(TriedAction::took_effect).map(|action| action.name).collect()
    }

    /// Says something, and hears the whole answer.
    pub async fn asks(&self, question: &Clip, answer: &Clip) {
        self.says(question).await;
        self.hears(answer).await;
    }

    /// Says something.
    pub async fn says(&self, clip: &Clip) {
        self.call.say(clip).await.expect("the caller can speak");
    }

    /// Waits until the agent speaks, and has said all of this clip.
    pub async fn hears(&self, clip: &Clip) {
        let speaks = self.call.agent_speaks(PATIENCE).await;
        speaks.unwrap_or_else(|_| panic!("the agent does not say {}", clip.name));
        self.hears_out(clip).await;
    }

    /// Waits until the agent falls silent, having said all of this clip.
    pub async fn hears_out(&self, clip: &Clip) {
        self.call.agent_falls_silent(LONGEST_SPEECH).await.expect("the agent comes to an end");
        assert!(self.has_heard(clip), "{} was not heard: {:?}", clip.name, self.fit(clip));
    }

    /// Waits until the agent hangs up, having said all of this clip.
    pub async fn hears_to_the_end(&self, clip: &Clip) {
        let speaks = self.call.agent_speaks(PATIENCE).await;
        speaks.unwrap_or_else(|_| panic!("the agent does not say {}", clip.name));
        self.call.ended(LONGEST_SPEECH).await.expect("the agent hangs up");
        assert!(self.has_heard(clip), "{} was not heard: {:?}", clip.name, self.fit(clip));
    }

    /// Whether the caller has heard all of this clip.
    pub fn has_heard(&self, clip: &Clip) -> bool {
        self.fit(clip).is_some_and(|fit| fit >= HEARD)
    }

    /// How often the caller has heard this clip.
    pub fn times_heard(&self, clip: &Clip) -> usize {
        count(clip, &self.call.recording())
    }

    fn fit(&self, clip: &Clip) -> Option<f64> {
        find(&clip.samples, &self.call.recording()).map(|found| found.correlation)
    }

    fn testbed(&self) -> &Testbed {
        self.story
    }
}

/// Returns what `$value` is for each event of a journal that matches.
#[macro_export]
macro_rules! entries {
    ($journal:expr, $event:pat $(if $condition:expr)? => $value:expr) => {
        $journal
            .iter()
            .filter_map(|event| match event {
                $event $(if $condition)? => Some($value),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
}

impl Afterwards {
    /// Asserts that the call was accepted, and that the caller hung up, and was written nothing.
    pub fn was_ordinary(&self) {
        let ended = (self.ending, self.at_meta, self.messages);
        assert_eq!(ended, (Ending::CallerHungUp, sim_meta::Ending::CallerHungUp, 0), "{self:?}");
        assert_eq!(self.actions, [ActionName::PreAccept, ActionName::Accept], "{self:?}");
    }

    /// Asserts that the accepted call was ended at Meta once its task was dead, and the caller written to once.
    pub fn was_lost(&self) {
        let ended = (self.ending, self.at_meta, self.messages);
        assert_eq!(ended, (Ending::Lost, sim_meta::Ending::Terminated, 1), "{self:?}");
        let actions = [ActionName::PreAccept, ActionName::Accept, ActionName::Terminate];
        assert_eq!(self.actions, actions, "{self:?}");
    }

    /// Whether it had one assignment and one model session.
    pub fn was_held_once(&self) -> bool {
        (self.assignments, self.connections) == (1, 1)
    }

    /// Returns the diagnoses of its media, in order; each has its evidence and cure.
    pub fn verdicts(&self) -> Vec<&str> {
        entries!(self.journal, JournalEvent::MediaVerdict { verdict, evidence, cure } => {
            assert!(evidence.ends_with('.') && cure.ends_with('.'), "{evidence} {cure}");
            verdict.as_str()
        })
    }

    /// Returns the names of the journal's events.
    pub fn event_names(&self) -> Vec<String> {
        let name = |event| serde_json::to_value(event).expect("events are JSON")["event"].to_string();
        self.journal.iter().map(|event| name(event).replace('"', "")).collect()
    }
}

/// Counts how often a clip is in a recording.
pub(super) fn count(clip: &Clip, recording: &[i16]) -> usize {
    match find(&clip.samples, recording).filter(|found| found.correlation >= HEARD) {
        Some(found) => {
            let after = (found.at + clip.samples.len()).min(recording.len());
            1 + count(clip, &recording[..found.at]) + count(clip, &recording[after..])
        }
        None => 0,
    }
}
