//! A function killed between any two of its calls to the outside: whatever it was doing is done all the same, once.

use call::Ending;
use harness::{Afterwards, Story, StoryBuilder};
use sim_aws::{KillMoment, Step};
use sim_meta::ActionName;

/// No function asks so many questions for one order.
const NEVER: usize = 60;

#[tokio::test(flavor = "multi_thread")]
async fn the_webhook_dies_as_a_request_arrives() {
    dies_at_each_step("webhook", KillMoment::Arrived).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_webhook_dies_after_a_request_took_effect() {
    dies_at_each_step("webhook", KillMoment::TookEffect).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn call_control_dies_as_a_request_arrives() {
    dies_at_each_step("call-control", KillMoment::Arrived).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn call_control_dies_after_a_request_took_effect() {
    dies_at_each_step("call-control", KillMoment::TookEffect).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_dies_as_it_replies() {
    let story = Story::begin().await;
    for function in ["webhook", "call-control"] {
        let kill_point = story.stack.cloud.kill_function_after(function, Step::Reply, KillMoment::TookEffect);
        let kill_point = kill_point.expect("there is such a function");
        was_an_ordinary_call(&a_short_call(&story).await, function);
        assert!(kill_point.was_hit());
    }
}

/// A call for each step, with the function killed there, until there is no such step. A call that continues with a later
/// tick is mostly waiting, so there are three testbeds.
async fn dies_at_each_step(function: &str, moment: KillMoment) {
    let from = |first| dies_at_every_third_step(function, moment, first);
    let steps = tokio::join!(from(1), from(2), from(3));
    let steps = steps.0 + steps.1 + steps.2;
    assert!(steps >= 2, "{function} made {steps} requests");
}

/// One call after the other. How often the function was killed.
async fn dies_at_every_third_step(function: &str, moment: KillMoment, first: usize) -> usize {
    let story = StoryBuilder::default().beside(&first.to_string()).begin().await;
    for (killed, n) in (first..NEVER).step_by(3).enumerate() {
        let kill_point = story.stack.cloud.kill_function_after(function, Step::Request(n), moment);
        let kill_point = kill_point.expect("there is such a function");
        let after = a_short_call(&story).await;
        if !kill_point.was_hit() {
            return killed;
        }
        was_an_ordinary_call(&after, &format!("{function} died at its request {n}"));
    }
    panic!("{function} never came to its end");
}

async fn a_short_call(story: &Story) -> Afterwards {
    let caller = story.ring().await;
    caller.is_picked_up().await;
    caller.hangs_up().await
}

fn was_an_ordinary_call(after: &Afterwards, when: &str) {
    assert_eq!(after.ending, Ending::CallerHungUp, "{when}: {after:?}");
    assert_eq!(after.actions, [ActionName::PreAccept, ActionName::Accept], "{when}");
    let endings = after.event_names().iter().filter(|event| *event == "WA_CALL_ENDED").count();
    assert_eq!((after.assignments, after.messages, endings), (1, 0, 1), "{when}: {after:?}");
}
