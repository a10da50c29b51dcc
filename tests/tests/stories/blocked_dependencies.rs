//! While DynamoDB, the control API or the model's sockets are blocked, no frame is late because of it.

mod connection_flood;

use harness::wakeup_probe::{WakeupLatency, WakeupProbe};
use harness::{Story, StoryBuilder};
use journal::JournalEvent;
use sim_audio::clips;
use sim_aws::Outage;
use sim_meta::{Call, CallerConfig};
use std::time::Duration;
use store::call_ref;
use tokio::task::JoinSet;

const CALLS: u32 = 20;

/// How long each is held.
const HELD: Duration = Duration::from_secs(5);

/// A frame that was held up arrives within this, and is measured.
const AFTERWARDS: Duration = Duration::from_millis(500);

/// All calls share two cores with whatever else is tested.
const PATIENCE: Duration = Duration::from_secs(60);

/// So much more than in the quiet a gap may be, and the p99 of lateness: twenty callers and a debug build on two cores vary by
/// tenths of a second of themselves. A frame that waited for one of them would be seconds late.
const LEEWAY: Duration = Duration::from_millis(300);

/// How late the callers got their frames, in one stretch of time: the worst of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard {
    gap: Duration,
    p99: Duration,
    /// How late any process was on this machine meanwhile.
    machine: WakeupLatency,
}

#[tokio::test(flavor = "multi_thread")]
async fn no_frame_is_late_while_a_dependency_is_held_hostage() {
    let story = StoryBuilder::default().with_model(|model| *model = model.clone().for_many()).begin().await;
    let calls = ring(&story).await;
    let quiet = listen(&calls, tokio::time::sleep(HELD)).await;

    let without_table = listen(&calls, async {
        story.stack.cloud.faults().dynamodb_outage(Outage::Silent, HELD);
        tokio::time::sleep(HELD).await;
    });
    quiet.bounds(without_table.await, "DynamoDB");
    quiet.bounds(listen(&calls, connection_flood::crowd(&story, HELD)).await, "the control API");
    let without_model = listen(&calls, async {
        story.model.hold_sockets(HELD);
        tokio::time::sleep(HELD).await;
    });
    quiet.bounds(without_model.await, "the model");

    assert!(calls.iter().all(|call| call.report().ending.is_none()), "no call ended because of it");
    hang_up(&calls).await;
    let own = own_p99(&story, &calls).await;
    assert!(own <= quiet.p99 + LEEWAY, "late by its own clock: {own:?}, and in the quiet {quiet:?}");
}

impl Heard {
    /// Holds what was heard against the quiet. Lateness of the whole machine does not count.
    pub(super) fn bounds(&self, held: Self, what: &str) {
        let gap = self.gap + held.machine.worst + LEEWAY;
        let p99 = self.p99 + held.machine.p99 + LEEWAY;
        assert!(held.gap <= gap, "{what} held: {held:?}, and in the quiet {self:?}");
        assert!(held.p99 <= p99, "{what} held: {held:?}, and in the quiet {self:?}");
    }
}

/// Twenty callers are greeted, one after the other: twenty rings at once are a hundred functions.
async fn ring(story: &Story) -> Vec<Call> {
    let mut calls = vec![];
    for n in 0..CALLS {
        let call = story.meta.ring(CallerConfig::of_many(n)).await.expect("the call can be placed");
        call.agent_speaks(PATIENCE).await.expect("the agent greets");
        calls.push(call);
    }
    calls
}

/// How the callers hear the agent while something goes on. Each asks something, so that there is talk both ways, and
/// presses a key, so that there is something to write down.
pub(super) async fn listen(calls: &[Call], something: impl Future<Output = ()>) -> Heard {
    let probe = WakeupProbe::start();
    calls.iter().for_each(Call::measure_anew);
    let mut asking = JoinSet::new();
    for call in calls {
        let call = call.clone();
        asking.spawn(async move {
            call.press("5").await.expect("the caller has a keypad");
            call.say(&clips::caller_question()).await.expect("the caller can speak");
        });
    }
    something.await;
    asking.join_all().await;
    tokio::time::sleep(AFTERWARDS).await;
    let machine = probe.stop();
    let traffic = calls.iter().map(|call| call.report().traffic);
    let heard = Heard { gap: Duration::ZERO, p99: Duration::ZERO, machine };
    traffic.fold(heard, |heard, traffic| Heard {
        gap: heard.gap.max(traffic.longest_gap),
        p99: heard.p99.max(traffic.lateness.p99),
        machine,
    })
}

async fn hang_up(calls: &[Call]) {
    for call in calls {
        call.hang_up().await;
    }
    for call in calls {
        call.business_knows_of_the_end(PATIENCE).await.expect("the business is told");
    }
}

/// How late the media task says it was itself, at p99, with the worst of these calls.
async fn own_p99(story: &Story, calls: &[Call]) -> Duration {
    let mut worst = 0;
    for call in calls {
        let call_ref = call_ref(call.id());
        let settled = story.calls.call_until(&call_ref, PATIENCE, |record| record.call.has_ended()).await;
        settled.expect("the call ends");
        story.calls.summary(&call_ref).await.expect("the table can be read").expect("the call is summed up");
        let journal = story.calls.journal(&call_ref).await.expect("the journal can be read");
        let late = journal.iter().find_map(|entry| match entry.event {
            JournalEvent::Media { late_p99_ms, .. } => Some(late_p99_ms),
            _ => None,
        });
        worst = worst.max(late.expect("the sound of every call is counted"));
    }
    Duration::from_millis(worst)
}
