//! What lookups mean for a call, on virtual time.

use super::*;
use proptest::prelude::*;
use serde_json::json;

#[test]
fn an_answer_in_time_is_what_the_agent_knows() {
    let (t0, mut lookup) = asked();
    assert_eq!(lookup.poll_timeout(), Some(t0 + ms(800)));

    lookup.handle_answer(Ok(known(Wish::default())), t0 + ms(230));

    assert_eq!(steps(&mut lookup), [note(LookupOutcome::Used, 230), LookupStep::Answer(knowing(None, None))]);
    assert_eq!((lookup.is_settled(), lookup.poll_timeout()), (true, None));
}

#[test]
fn a_call_goes_on_without_an_answer_at_its_deadline() {
    let (t0, mut lookup) = asked();
    lookup.handle_timeout(t0 + ms(799));
    assert!(!lookup.is_settled());

    lookup.handle_timeout(t0 + ms(800));

    assert_eq!(steps(&mut lookup), [note(LookupOutcome::Late, 800), LookupStep::Answer(Settled::default())]);
    lookup.handle_answer(Ok(known(wish("fr"))), t0 + ms(900));
    assert_eq!(steps(&mut lookup), [], "what comes later changes nothing");
}

#[test]
fn a_call_that_waits_goes_on_before_its_ring_time_ends() {
    let t0 = Instant::now();
    let mut lookup = ringing_for(3_400, t0);
    assert_eq!(lookup.poll_timeout(), Some(t0 + ms(400)));

    lookup.handle_answer(Ok(known(wish("fr"))), t0 + ms(300));
    steps(&mut lookup);

    assert_eq!(lookup.poll_timeout(), Some(t0 + ms(2_400)), "a decision leaves time for the accept alone");
}

#[test]
fn a_decision_has_as_long_as_the_call_may_ring() {
    let t0 = Instant::now();
    for (rings_for, until) in [(25_000, 22_000), (6_000, 4_100), (4_900, 3_900), (3_500, 2_500)] {
        let mut lookup = ringing_for(rings_for, t0);
        lookup.handle_answer(Ok(known(wish("fr"))), t0 + ms(100));

        assert_eq!(lookup.poll_timeout(), Some(t0 + ms(until)), "{rings_for}");
    }
}

#[test]
fn no_answer_and_a_wrong_one_are_told_apart() {
    for (outcome, status) in
        [(LookupOutcome::Failed, Some(500)), (LookupOutcome::Failed, None), (LookupOutcome::Wrong, Some(200))]
    {
        let (t0, mut lookup) = asked();
        lookup.handle_answer(Err(Unanswered { outcome, status }), t0 + ms(12));

        let noted = LookupStep::Note { outcome, took: ms(12), status };
        assert_eq!(steps(&mut lookup), [noted, LookupStep::Answer(Settled::default())]);
    }
}

#[test]
fn call_control_decides_about_another_agent() {
    let (t0, mut lookup) = asked();
    lookup.handle_answer(Ok(known(wish("fr"))), t0 + ms(100));
    assert_eq!(steps(&mut lookup), [note(LookupOutcome::Used, 100), LookupStep::Ask(wish("fr"))]);
    assert_eq!((lookup.is_settled(), lookup.poll_timeout()), (false, Some(t0 + ms(17_000))));

    lookup.handle_decision(Some(Reply::Agent { text: Some("a file".into()), language: Some("fr".into()) }));

    assert_eq!(steps(&mut lookup), [LookupStep::Answer(knowing(Some("a file"), Some("fr")))]);
}

#[test]
fn without_a_decision_the_calls_own_agent_answers_with_what_is_known() {
    let undecided = [LookupStep::NoteUndecided, LookupStep::Answer(knowing(None, None))];
    for reply in [None, Some(Reply::Wait)] {
        let mut lookup = deciding();
        lookup.handle_decision(reply);
        assert_eq!(steps(&mut lookup), undecided);
    }
    let mut kept = deciding();
    kept.handle_decision(Some(Reply::Agent { text: None, language: None }));
    assert_eq!(steps(&mut kept), [LookupStep::Answer(knowing(None, None))]);
    let mut lookup = deciding();
    let due = lookup.poll_timeout().expect("it is waited for");

    lookup.handle_timeout(due);

    assert_eq!(steps(&mut lookup), undecided);
    lookup.handle_decision(Some(Reply::Over));
    assert_eq!(steps(&mut lookup), [], "the release ends the call");
}

#[test]
fn a_refused_call_is_over_once_call_control_says_so() {
    let (t0, mut lookup) = asked();
    let refusal = Wish { rejection: Some(None), ..Wish::default() };
    lookup.handle_answer(Ok(known(refusal.clone())), t0 + ms(100));
    assert_eq!(steps(&mut lookup), [note(LookupOutcome::Refused, 100), LookupStep::Ask(refusal)]);

    lookup.handle_decision(Some(Reply::Over));

    assert_eq!(steps(&mut lookup), [LookupStep::End]);
    assert_eq!((lookup.is_settled(), lookup.poll_timeout()), (false, None), "it is not accepted");
}

#[test]
fn a_call_that_was_taken_over_only_gets_to_know() {
    let t0 = Instant::now();
    let mut lookup = LookupProgress::begin(ms(800), None, false, t0);
    let wish = Wish { rejection: Some(None), ..wish("fr") };

    lookup.handle_answer(Ok(known(wish)), t0 + ms(100));

    assert_eq!(steps(&mut lookup), [note(LookupOutcome::Used, 100), LookupStep::Answer(knowing(None, None))]);
}

#[test]
fn debug_output_shows_nothing_of_the_caller() {
    let wish =
        Wish { agent: Some("planted".into()), rejection: Some(Some("planted".into())), ..wish("planted") };
    let known = Known { wish, variables: variables() };
    let settled = Settled { variables: variables(), agent: Some("planted".into()), language: None };

    let shown = format!("{known:?} {:?} {settled:?}", known.wish);

    assert!(!shown.contains("planted") && !shown.contains("Amina"), "{shown}");
}

#[derive(Debug, Clone)]
enum Input {
    Answer(bool),
    None,
    Decision(bool),
    Pass(u64),
}

proptest! {
    #[test]
    fn any_order_of_inputs_settles_a_call_once(
        inputs in prop::collection::vec(input(), 0..12), waits: bool, may_decide: bool,
    ) {
        let mut now = Instant::now();
        let latest = now + ms(5_000);
        let patience = waits.then(|| Patience::until(latest, now));
        let mut lookup = LookupProgress::begin(ms(800), patience, may_decide, now);
        let mut taken = vec![];
        for input in inputs {
            match input {
                Input::Answer(wishes) => lookup.handle_answer(Ok(known(if wishes { wish("fr") } else { Wish::default() })), now),
                Input::None => lookup.handle_answer(Err(Unanswered { outcome: LookupOutcome::Failed, status: None }), now),
                Input::Decision(is_over) => lookup.handle_decision(is_over.then_some(Reply::Over)),
                Input::Pass(passed) => now += ms(passed),
            }
            lookup.handle_timeout(now);
            taken.extend(steps(&mut lookup));
        }
        while let Some(due) = lookup.poll_timeout() {
            prop_assert!(!waits || due < latest.max(now));
            lookup.handle_timeout(due);
            taken.extend(steps(&mut lookup));
        }
        let is_end = |step: &&LookupStep| matches!(step, LookupStep::Answer(_) | LookupStep::End);
        prop_assert_eq!(taken.iter().filter(is_end).count(), 1);
        prop_assert!(taken.last().as_ref().is_some_and(is_end));
        let is_note = |step: &&LookupStep| matches!(step, LookupStep::Note { .. });
        prop_assert!(taken.first().as_ref().is_some_and(is_note));
        prop_assert_eq!(taken.iter().filter(is_note).count(), 1);
    }
}

fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        any::<bool>().prop_map(Input::Answer),
        Just(Input::None),
        any::<bool>().prop_map(Input::Decision),
        (0..900_u64).prop_map(Input::Pass),
    ]
}

fn asked() -> (Instant, LookupProgress) {
    let t0 = Instant::now();
    (t0, ringing_for(20_000, t0))
}

fn ringing_for(time: u64, t0: Instant) -> LookupProgress {
    LookupProgress::begin(ms(800), Some(Patience::until(t0 + ms(time), t0)), true, t0)
}

fn deciding() -> LookupProgress {
    let (t0, mut lookup) = asked();
    lookup.handle_answer(Ok(known(wish("fr"))), t0);
    steps(&mut lookup);
    lookup
}

fn known(wish: Wish) -> Known {
    Known { variables: variables(), wish }
}

fn knowing(agent: Option<&str>, language: Option<&str>) -> Settled {
    Settled { variables: variables(), agent: agent.map(str::to_owned), language: language.map(str::to_owned) }
}

fn variables() -> Map<String, Value> {
    serde_json::from_value(json!({"caller_name": "Amina"})).expect("an object")
}

fn wish(language: &str) -> Wish {
    Wish { language: Some(language.to_owned()), ..Wish::default() }
}

fn note(outcome: LookupOutcome, took: u64) -> LookupStep {
    LookupStep::Note { outcome, took: ms(took), status: None }
}

fn steps(lookup: &mut LookupProgress) -> Vec<LookupStep> {
    std::iter::from_fn(|| lookup.poll_step()).collect()
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}
