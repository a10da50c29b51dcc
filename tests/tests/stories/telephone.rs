//! Telephone calls through real processes: how they begin and end, and what goes wrong on the way.

use call::{Ending, Fence};
use harness::telephone::NUMBER;
use harness::{Story, StoryBuilder};
use journal::JournalEvent as Happened;
use service::time::now_ms;
use sim_audio::clips;
use sim_openai::sip::{Action, CarrierEventKind, SipFault};
use sim_openai::{Reply, Script};
use std::time::{Duration, Instant};
use store::{CallOwner, StoredAgent};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// A story whose product takes calls on the SIP line.
pub(crate) fn story() -> StoryBuilder {
    StoryBuilder::default().with_telephone()
}

/// The agent says goodbye and hangs up.
pub(crate) fn takes_leave() -> Reply {
    Reply::speech(clips::agent_goodbye()).and_call("end_call", "{}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_left_while_it_rang_leaves_nothing_behind() {
    let soon_silent = "\n[limits]\nsilence_s = 5\nnudges = 0\n";
    let story = story().with_agent_also(soon_silent).begin().await;
    let gone = story.dial_with(SipFault::CallerGone);
    let dead = story.dial_with(SipFault::DeadSession);

    let (gone, dead) = tokio::join!(gone.afterwards(), dead.afterwards());

    assert_eq!(
        (gone.ending, &gone.at_carrier),
        (Ending::CallerGaveUp, &CarrierEventKind::Cancelled),
        "{gone:?}"
    );
    assert_eq!((gone.requests(), gone.accepts()), (vec![], vec![404]), "{gone:?}");
    assert_eq!(gone.report.requests.len(), 1, "what is gone needs no hangup: {gone:?}");
    assert_eq!(
        (dead.ending, &dead.at_carrier),
        (Ending::BothSilent, &CarrierEventKind::Cancelled),
        "{dead:?}"
    );
    assert_eq!(dead.requests(), [Action::Accept, Action::Hangup], "{dead:?}");
    story.is_at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sideband_lost_in_a_sentence_is_attached_again() {
    let answers = [clips::agent_answer(), clips::agent_closing()].map(Reply::speech);
    let script = Script::new(Reply::speech(clips::agent_greeting()), answers);
    let story = story().scripted(script).begin().await;
    let caller = story.dial_with(SipFault::SidebandDrops);
    caller.hears(&clips::agent_greeting()).await;

    caller.asks(&clips::caller_question(), &clips::agent_answer()).await;
    caller.waits_for(|event| matches!(event, Happened::SidebandBack { .. })).await;
    caller.asks(&clips::caller_directions(), &clips::agent_closing()).await;

    let greetings = caller.times_heard(&clips::agent_greeting());
    let after = caller.hangs_up().await;
    after.was_ordinary();
    assert_eq!((greetings, after.report.sockets_attached(), after.assignments()), (1, 2, 1), "{after:?}");
    let lost = after.count(|event| matches!(event, Happened::SidebandLost { .. }));
    assert_eq!(lost, 1, "a caller who hangs up is no loss: {after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_goodbye_is_heard_to_its_end_though_its_sideband_is_lost() {
    let script = Script::new(Reply::speech(clips::agent_greeting()), [takes_leave()]);
    let story = story().scripted(script).begin().await;
    let caller = story.dial_with(SipFault::SidebandDrops);
    caller.hears(&clips::agent_greeting()).await;

    caller.phone().say(&clips::caller_thanks());
    caller.is_cut_off().await;

    assert!(caller.has_heard(&clips::agent_goodbye()));
    let after = caller.afterwards().await;
    after.was_hung_up(Ending::AgentSaidGoodbye);
    let goodbye = after.report.agent.last().expect("the agent has spoken");
    let hung_up = after.report.requests_for(Action::Hangup).next().map(|hangup| hangup.at);
    let kept_waiting = hung_up.zip(goodbye.stopped).map(|(hung_up, stopped)| hung_up - stopped);
    assert!(!goodbye.was_cut && kept_waiting.is_some_and(|time| time < Duration::from_secs(2)), "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_hangs_up_ends_the_call_within_two_seconds() {
    let story = story().begin().await;
    let caller = story.dial();
    caller.is_greeted().await;
    let hung_up_at = Instant::now();

    caller.phone().hang_up();
    caller.comes_to(|record| record.call.has_ended()).await;

    let took = hung_up_at.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    caller.afterwards().await.was_ordinary();
}

/// OpenAI ends a session after sixty minutes: here after sixty-eight seconds.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_near_its_end_is_ended_with_a_goodbye() {
    let goodbye = "Thank you for your call. Goodbye!";
    let script = Script::about_bikes().aside(goodbye, Reply::speech(clips::agent_goodbye()));
    let nearly_over = Duration::from_secs(68);
    let story = story().scripted(script).with_model(|model| model.longest = nearly_over).begin().await;
    let caller = story.dial();

    caller.is_cut_off().await;

    assert!(caller.has_heard(&clips::agent_goodbye()));
    caller.afterwards().await.was_hung_up(Ending::TookTooLong);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accept_that_fails_once_is_tried_again() {
    let story = story().begin().await;
    for (fault, statuses) in [
        (SipFault::Busy, [429, 200]),
        (SipFault::AcceptFails, [500, 200]),
        // It was done: OpenAI says that the call is decided.
        (SipFault::AcceptLost, [500, 400]),
    ] {
        let caller = story.dial_with(fault);
        let rang = caller.is_answered().await;
        assert!(rang < Duration::from_secs(3), "{fault:?}: {rang:?}");
        caller.is_greeted().await;

        let after = caller.hangs_up().await;
        after.was_ordinary();
        assert_eq!(after.accepts(), statuses, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_openai_does_not_connect_ends_once() {
    let story = story().begin().await;
    let taken = story.dial_with(SipFault::Taken).afterwards();
    let unconnected = story.dial_with(SipFault::NoSession).afterwards();
    let late = async {
        let caller = story.dial_with(SipFault::LateSideband);
        caller.hears(&clips::agent_greeting()).await;
        caller.hangs_up().await
    };

    let (taken, unconnected, late) = tokio::join!(taken, unconnected, late);

    assert_eq!((taken.ending, taken.requests()), (Ending::LineRefused, vec![]), "{taken:?}");
    assert_eq!(taken.accepts(), [400], "another endpoint has decided it: {taken:?}");
    let ended = (unconnected.ending, &unconnected.at_carrier);
    assert_eq!(ended, (Ending::LineFailed, &CarrierEventKind::BadRequest), "{unconnected:?}");
    assert_eq!(unconnected.requests(), [Action::Accept], "{unconnected:?}");
    late.was_ordinary();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_answer_only_what_was_heard_is_kept() {
    let story = story().begin().await;
    let hung_up = story.dial_with(SipFault::HangsUpInAnswer);
    // The carrier's leg stays up, and OpenAI knows nothing of the call any more.
    let lost = story.dial_with(SipFault::LosesCall);
    for caller in [&hung_up, &lost] {
        caller.hears(&clips::agent_greeting()).await;
        caller.phone().say(&clips::caller_question());
    }

    for caller in [&hung_up, &lost] {
        let record = caller.comes_to(|record| record.call.has_ended()).await;
        assert_eq!(record.call.ending(), Some(Ending::CallerHungUp));
        story
            .calls
            .summary(&caller.call_ref())
            .await
            .expect("the table can be read")
            .expect("it is summed up");
        let lines = story.calls.lines(&caller.call_ref()).await.expect("the table can be read");
        let answer = lines.iter().find(|line| clips::agent_answer().text.starts_with(&line.text));
        let heard_ms = answer.and_then(|answer| answer.heard_ms).unwrap_or_else(|| panic!("{lines:?}"));
        assert!((300..2_000).contains(&heard_ms), "{lines:?}");
    }
    hung_up.afterwards().await.was_ordinary();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_that_fails_once_is_tried_again() {
    let script = Script::new(Reply::speech(clips::agent_greeting()), [takes_leave()]);
    let story = story().scripted(script).begin().await;
    let (fails, lost) = (story.dial_with(SipFault::HangupFails), story.dial_with(SipFault::HangupLost));
    for caller in [&fails, &lost] {
        caller.hears(&clips::agent_greeting()).await;
        caller.phone().say(&clips::caller_thanks());
    }

    for caller in [fails, lost] {
        let after = caller.afterwards().await;
        after.was_hung_up(Ending::AgentSaidGoodbye);
        let hangups = after.report.requests_for(Action::Hangup).map(|request| request.status);
        let hangups: Vec<_> = hangups.collect();
        assert!(hangups.len() == 2 && hangups[0] == 500, "{after:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_carrier_learns_why_an_agent_takes_no_call() {
    let story = story().begin().await;
    answers_with(&story, "[caps]\ncalls_an_hour = 1").await;
    let first = story.dial();
    first.is_greeted().await;
    first.hangs_up().await.was_ordinary();
    story.dial().afterwards().await.was_rejected(Ending::CalledTooOften, 486);

    let days: Vec<_> = (0..3).map(|n| day(now_ms() - DAY_MS + n * DAY_MS)).collect();
    let week = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let hours = week.map(|day| format!("{day} = [\"00:00-24:00\"]\n")).concat();
    answers_with(&story, &format!("[hours]\nzone = \"UTC\"\n{hours}closed_on = {days:?}")).await;
    story.dial().afterwards().await.was_rejected(Ending::Closed, 480);

    answers_with(&story, "[caps]\ndollars_a_day = 0.5").await;
    for day in days {
        let (call_ref, number) = (day.clone().into(), NUMBER.into());
        let by = CallOwner { call_ref, number, fence: Fence(1), forget_at: u64::MAX >> 20 };
        story.stack.store.count_spent(&by, &day, 0, 500_000).await.expect("the table can be written to");
    }
    story.dial().afterwards().await.was_rejected(Ending::OverBudget, 480);
}

/// The dialled number has an agent of its own, with this in its file.
async fn answers_with(story: &Story, more: &str) {
    let file = format!(
        "name = \"shop\"\ninstructions = \"You answer the telephone.\"\n[greeting]\nsay = \"Hello.\"\n{more}\n"
    );
    let store = &story.stack.store;
    store.put_agent(&StoredAgent::new("shop", &file, now_ms())).await.expect("the table can be written to");
    store.assign(&NUMBER.into(), "shop").await.expect("the table can be written to");
}

/// The date of a moment in UTC.
fn day(at_ms: u64) -> String {
    agents::Agent::built_in().day(at_ms)
}
