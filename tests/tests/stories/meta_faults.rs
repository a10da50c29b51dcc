//! Injected faults of Meta and of the caller's phone: each has its ending, and no call is held twice.

mod failures;

use call::Ending;
use failures::{
    hears_no_more_than_that_it_could_not_be_sent, is_known_to_have_failed, is_written_to_at_the_second_try,
};
use harness::TestbedConfig;
use harness::story::{folder, programs};
use harness::{Afterwards, Caller, Story, StoryBuilder};
use journal::JournalEvent as Happened;
use sim_meta::{ActionName, CallReport, Ending as AtMeta, Event, InjectedFault, ObservationKind};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

/// Less than what a request waits that is never answered.
const GRAPHS_PATIENCE: Duration = Duration::from_secs(5);

/// A story for each injected fault, by its name: what comes of it.
macro_rules! stories {
    ($($name:ident: $fault:ident, $story:ident;)*) => {
        const TOLD: &[InjectedFault] = &[$(InjectedFault::$fault),*];

        $(#[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            $story(InjectedFault::$fault).await;
        })*
    };
}

stories! {
    no_from: NoFrom, is_picked_up_all_the_same;
    no_contacts: NoContacts, is_picked_up_all_the_same;
    no_direction: NoDirection, is_picked_up_all_the_same;
    batched: Batched, is_picked_up_all_the_same;
    stamps_behind: StampsBehind, is_picked_up_all_the_same;
    stamps_ahead: StampsAhead, is_picked_up_all_the_same;

    duplicate_connect: DuplicateConnect, is_picked_up_all_the_same;
    late_connect: LateConnect, is_picked_up_all_the_same;
    stale_connect: StaleConnect, is_recorded_and_not_answered;
    future_connect: FutureConnect, is_recorded_and_not_answered;
    out_of_order: OutOfOrder, was_over_before_it_was_known;
    bad_signature_once: BadSignatureOnce, is_picked_up_all_the_same;
    foreign: Foreign, is_picked_up_and_the_other_one_is_not;

    missing_terminate: MissingTerminate, is_missed_when_it_has_vanished;
    duplicate_terminate: DuplicateTerminate, is_picked_up_all_the_same;

    sdp_refused: SdpRefused, is_rejected;
    graph_500_once: Graph500Once, is_picked_up_all_the_same;
    graph_500_twice: Graph500Twice, is_picked_up_all_the_same;
    graph_429_once: Graph429Once, is_picked_up_all_the_same;
    graph_429_always: Graph429Always, is_given_up_without_a_word_at_meta;
    graph_transient_once: GraphTransientOnce, is_picked_up_all_the_same;
    success_false_once: SuccessFalseOnce, is_picked_up_all_the_same;
    dead_connections: DeadConnections, is_picked_up_without_a_wait;
    message_pair_limit: MessagePairLimit, hears_no_more_than_that_it_could_not_be_sent;
    message_unpaid: MessageUnpaid, hears_no_more_than_that_it_could_not_be_sent;
    message_transient_once: MessageTransientOnce, is_written_to_at_the_second_try;
    message_undone_once: MessageUndoneOnce, is_written_to_at_the_second_try;
    message_fails_at_once: MessageFailsAtOnce, is_known_to_have_failed;
    message_fails: MessageFails, is_known_to_have_failed;
    graph_slow: GraphSlow, is_picked_up_all_the_same;
    slow_pre_accept: SlowPreAccept, is_picked_up_all_the_same;
    cut_pre_accept: CutPreAccept, is_picked_up_all_the_same;
    cut_accept: CutAccept, is_picked_up_all_the_same;
    cut_terminate: CutTerminate, is_terminated_once;
    caller_gives_up: CallerGivesUp, is_not_picked_up_and_not_told;
    connect_times_out: ConnectTimesOut, is_given_up_by_meta_and_told;
    hangs_up_at_accept: HangsUpAtAccept, is_not_picked_up_and_not_told;
    token_invalid: TokenInvalid, is_given_up_and_the_cure_is_named;
    payment_missing: PaymentMissing, is_given_up_and_the_cure_is_named;
    calling_not_enabled: CallingNotEnabled, is_given_up_and_the_cure_is_named;
    sip_enabled: SipEnabled, is_given_up_and_the_cure_is_named;

    ice_never: IceNever, is_terminated_at_the_end_of_its_ring_time;
    dtls_never: DtlsNever, is_terminated_at_the_end_of_its_ring_time;
    silent_caller: SilentCaller, is_picked_up_all_the_same;
    role_conflict: RoleConflict, is_terminated_at_the_end_of_its_ring_time;
    relay_closed: RelayClosed, is_terminated_at_the_end_of_its_ring_time;
    advertised_only: AdvertisedOnly, is_picked_up_all_the_same;
    wrong_payload: WrongPayload, is_picked_up_all_the_same;
    agent_unheard: AgentUnheard, is_ended_by_meta_for_want_of_sound;
    strict_relay: StrictRelay, is_picked_up_all_the_same;
    checks_unanswered: ChecksUnanswered, is_picked_up_all_the_same;
}

#[test]
fn every_fault_has_its_story() {
    let untold = InjectedFault::ALL.iter().filter(|fault| !TOLD.contains(fault));
    assert_eq!(untold.collect::<Vec<_>>(), [] as [&InjectedFault; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_answer_makes_a_rehearsal_wrong_and_it_says_why() {
    let mut config = TestbedConfig::rehearsal(folder());
    config.inject("sdp-refused".parse().expect("there is such a fault"));

    let outcome = config.rehearse(&programs().await).await.expect("there can be a rehearsal");

    assert!(!outcome.is_right());
    assert_eq!(outcome.ending.as_deref(), Some("meta_refused"));
    assert!(outcome.to_string().contains("138008"), "{outcome}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_gives_up_just_before_the_accept_is_not_told() {
    let story = Story::begin().await;
    let caller = story.ring().await;
    let connected = |report: &CallReport| report.dtls_connected;
    caller.phone().wait_until("media to connect", SOON, connected).await.expect("media connects");
    story.webhooks_go_astray();
    caller.phone().hang_up().await;
    let refused = |seen: &ObservationKind| {
        matches!(seen, ObservationKind::Action { name: ActionName::Accept, status: 400, .. })
    };
    story.observes(caller.id(), refused).await;
    story.webhooks_arrive();

    let after = caller.afterwards().await;

    assert_eq!((after.ending, after.at_meta), (Ending::CallerGaveUp, AtMeta::CallerHungUp));
    assert!(after.was_held_once() && after.messages == 0, "{after:?}");
}

/// The call is picked up, once, and ends as the caller wants.
async fn is_picked_up_all_the_same(fault: InjectedFault) {
    let story = Story::begin().await;
    let caller = story.ring_with_faults(&[fault]).await;
    caller.is_greeted().await;

    let after = caller.hangs_up().await;

    was_an_ordinary_call(&after);
}

async fn is_picked_up_and_the_other_one_is_not(fault: InjectedFault) {
    let story = Story::begin().await;
    let caller = story.ring_with_faults(&[fault]).await;
    caller.is_greeted().await;
    let ours = caller.call_ref();

    let after = caller.hangs_up().await;

    was_an_ordinary_call(&after);
    let stored = story.stored_calls().await;
    let mut others =
        stored.iter().filter_map(|key| store::keys::call_ref(key)).filter(|other| *other != ours);
    let other = &others.next().expect("the other number's call is recorded");
    let journal = story.calls.journal(other).await.expect("the journal can be read");
    assert!(matches!(journal[0].event, Happened::NotOurs { .. }), "{journal:?}");
    assert_eq!(story.calls.call(other).await.expect("the table can be read"), None);
}

async fn is_missed_when_it_has_vanished(fault: InjectedFault) {
    let story = Story::begin().await;
    let caller = story.ring_with_faults(&[fault]).await;
    caller.is_greeted().await;
    caller.phone().hang_up().await;

    let after = caller.settles().await;

    assert_eq!((after.ending, after.at_meta), (Ending::CallerVanished, AtMeta::CallerHungUp));
    assert!(after.was_held_once() && after.messages == 0, "{after:?}");
}

async fn is_recorded_and_not_answered(fault: InjectedFault) {
    let story = Story::begin().await;
    let caller = story.ring_with_faults(&[fault]).await;
    is_told(&story, &caller, Event::Connect).await;
    assert!(story.call_control_was_left_alone());
    caller.phone().hang_up().await;
    is_told(&story, &caller, Event::Terminate).await;
    story.is_at_rest().await;

    let journal = caller.journal().await;
    assert!(journal.iter().any(|event| matches!(event, Happened::Stale { .. })), "{journal:?}");
    was_not_touched(&story, &caller).await;
}

async fn was_over_before_it_was_known(fault: InjectedFault) {
    let story = Story::begin().await;
    let caller = story.ring_with_faults(&[fault]).await;
    is_told(&story, &caller, Event::Terminate).await;
    is_told(&story, &caller, Event::Connect).await;
    story.is_at_rest().await;

    was_not_touched(&story, &caller).await;
}

async fn is_rejected(fault: InjectedFault) {
    let story = Story::begin().await;
    let after = story.ring_with_faults(&[fault]).await.afterwards().await;

    assert_eq!((after.ending, after.at_meta), (Ending::MetaRefused, AtMeta::Rejected));
    assert_eq!((&after.actions[..], after.messages), (&[ActionName::Reject][..], 1));
    assert!(after.was_held_once(), "{after:?}");
}

async fn is_terminated_once(fault: InjectedFault) {
    let story = StoryBuilder::with_fault("quota-exhausted").begin().await;
    let after = story.ring_with_faults(&[fault]).await.afterwards().await;

    assert_eq!((after.ending, after.at_meta), (Ending::AgentUnavailable, AtMeta::Terminated));
    assert_eq!(after.actions, [ActionName::PreAccept, ActionName::Terminate]);
    assert!(after.was_held_once() && after.messages == 1, "{after:?}");
}

async fn is_terminated_at_the_end_of_its_ring_time(fault: InjectedFault) {
    let story = StoryBuilder::default().ringing_for(3).begin().await;
    let after = story.ring_with_faults(&[fault]).await.afterwards().await;

    assert_eq!((after.ending, after.at_meta), (Ending::MediaNeverConnected, AtMeta::Terminated));
    assert_eq!(after.actions, [ActionName::PreAccept, ActionName::Terminate]);
    assert!(after.was_held_once() && after.messages == 1, "{after:?}");
}

async fn is_ended_by_meta_for_want_of_sound(fault: InjectedFault) {
    let story = Story::begin().await;
    let after = story.ring_with_faults(&[fault]).await.afterwards().await;

    assert_eq!((after.ending, after.at_meta), (Ending::MediaFailed, AtMeta::NoMedia));
    assert_eq!(after.actions, [ActionName::PreAccept, ActionName::Accept]);
    assert!(after.was_held_once(), "{after:?}");
}

async fn is_not_picked_up_and_not_told(fault: InjectedFault) {
    let story = Story::begin().await;
    let after = story.ring_with_faults(&[fault]).await.afterwards().await;

    assert_eq!((after.ending, after.at_meta), (Ending::CallerGaveUp, AtMeta::CallerHungUp));
    assert_eq!(after.actions, [ActionName::PreAccept]);
    assert!(after.was_held_once() && after.messages == 0, "{after:?}");
}

/// Meta ends the call with an error of its own, not media's: the caller is told, and Meta is not.
async fn is_given_up_by_meta_and_told(fault: InjectedFault) {
    let story = Story::begin().await;
    let after = story.ring_with_faults(&[fault]).await.afterwards().await;

    assert_eq!((after.ending, after.at_meta), (Ending::MetaRefused, AtMeta::TimedOut));
    assert_eq!(after.actions, [ActionName::PreAccept]);
    assert!(after.was_held_once() && after.messages == 1, "{after:?}");
}

/// A connection that died between two invocations costs nothing.
async fn is_picked_up_without_a_wait(fault: InjectedFault) {
    let story = Story::begin().await;
    let caller = story.ring_with_faults(&[fault]).await;
    caller.is_greeted().await;
    let report = caller.phone().report();

    let after = caller.hangs_up().await;

    let waited = report.accepted.zip(report.dtls_connected).map(|(accepted, connected)| accepted - connected);
    assert!(waited.is_some_and(|waited| waited < GRAPHS_PATIENCE), "{waited:?}");
    was_an_ordinary_call(&after);
}

/// Meta takes no action, so it rings there until the caller has had enough; but they are told why.
async fn is_given_up_without_a_word_at_meta(fault: InjectedFault) {
    let (after, _) = rings_on(fault).await;

    assert_eq!((after.ending, after.messages), (Ending::MediaNeverConnected, 1));
}

async fn is_given_up_and_the_cure_is_named(fault: InjectedFault) {
    let (after, code) = rings_on(fault).await;

    let names_cause_and_cure = |event: &Happened| matches!(event, Happened::MetaTrouble { code: told, reason, cure, .. } if *told == code && !reason.is_empty() && !cure.is_empty());
    assert!(after.journal.iter().any(names_cause_and_cure), "{after:?}");
    // Without a token, no message can be sent.
    let messages = usize::from(fault != InjectedFault::TokenInvalid);
    assert_eq!((after.ending, after.messages), (Ending::MetaRefused, messages));
}

/// Meta takes no action: the product has given the call up before the caller does. And Meta's code for it.
async fn rings_on(fault: InjectedFault) -> (Afterwards, u32) {
    let story = StoryBuilder::default().ringing_for(3).begin().await;
    let caller = story.ring_with_faults(&[fault]).await;
    let ended = story.calls.call_until(&caller.call_ref(), SOON, |record| record.call.has_ended()).await;
    ended.expect("the call ends though Meta takes no action");
    let code = story.observations().into_iter().find_map(|seen| match seen.kind {
        ObservationKind::Action { code, .. } => code,
        _ => None,
    });

    let after = caller.hangs_up().await;

    assert_eq!((after.at_meta, &after.actions[..]), (AtMeta::CallerHungUp, &[][..]));
    assert!(after.was_held_once(), "{after:?}");
    (after, code.expect("Meta said why"))
}

fn was_an_ordinary_call(after: &Afterwards) {
    after.was_ordinary();
    assert!(after.was_held_once(), "{after:?}");
}

async fn is_told(story: &Story, caller: &Caller<'_>, of: Event) {
    let told = ObservationKind::WebhookAnswered { event: of, status: Some(200) };
    story.observes(caller.id(), |seen| *seen == told).await;
}

async fn was_not_touched(story: &Story, caller: &Caller<'_>) {
    assert_eq!(story.calls.call(&caller.call_ref()).await.expect("the table can be read"), None);
    assert_eq!(caller.actions(), []);
    assert_eq!((story.model.connections(), story.meta.messages().len()), (0, 0));
}
