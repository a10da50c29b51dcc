//! What a business says of a caller before the first word. A lookup that is late, broken or hostile costs the call nothing.

use crate::operator_lookup::said;
use call::Ending;
use harness::{Caller, Story, StoryBuilder, entries};
use journal::JournalEvent;
use serde_json::{Map, json};
use service::time::now_ms;
use sim_audio::{Clip, clips};
use sim_business::{Fault, KEY_NAME};
use sim_meta::{CallerConfig, MetaConfig};
use sim_openai::Side;
use std::time::Duration;
use store::StoredAgent;

/// Sooner than a call is refused for ringing too long, on a machine where ten calls come at once.
const ANSWERED_WITHIN: Duration = Duration::from_secs(15);

/// Between two rings.
const APART: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread")]
async fn the_greeting_is_in_time_whatever_the_lookup_does() {
    let story = StoryBuilder::default().knowing_callers().begin().await;
    let by_name = [None, Some(Fault::LookupSlow), Some(Fault::LookupUnknownAgent)];
    let without = [
        Fault::LookupLate,
        Fault::Lookup500,
        Fault::LookupHtml,
        Fault::Lookup2mb,
        Fault::LookupWrongTypes,
        Fault::LookupHostileName,
        Fault::LookupRedirect,
    ];
    let mut calls = vec![];
    for (n, fault) in by_name.into_iter().chain(without.map(Some)).enumerate() {
        calls.push((fault, ring(&story, n, fault).await));
        tokio::time::sleep(APART).await;
    }

    for (fault, caller) in calls {
        let greeting = match fault {
            None | Some(Fault::LookupSlow | Fault::LookupUnknownAgent) => Some(clips::agent_greeting_amina()),
            // It has a name, which no one has recorded.
            Some(Fault::LookupHostileName) => None,
            Some(_) => Some(clips::agent_greeting_there()),
        };
        is_greeted_in_time(&story, caller, fault, greeting.as_ref()).await;
    }

    assert_eq!((story.business.complaints(), story.business.forged()), (vec![], 0));
    assert_eq!(story.model_faults(), [""; 0]);
    let asked = story.business.lookups();
    assert!(asked.iter().all(|lookup| lookup.call["line"] == "whatsapp"), "{asked:?}");
    for session in story.model.sessions() {
        for kind in ["session.update", "response.create"] {
            let sent: Vec<_> = session.events_of(Side::Client, kind).map(ToString::to_string).collect();
            assert!(!sent.concat().contains("\\nSYSTEM"), "a caller's name began a line: {sent:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_whom_the_business_refuses_is_turned_away_with_its_message() {
    let story = StoryBuilder::default().knowing_callers().begin().await;
    story.business.set_faults(&[Fault::LookupReject]);

    let after = story.ring().await.afterwards().await;

    assert_eq!((after.ending, after.messages), (Ending::RefusedByLookup, 1), "{after:?}");
    assert!(!after.actions.contains(&sim_meta::ActionName::Accept), "{after:?}");
    let messages = story.meta.messages();
    assert_eq!(messages[0]["text"]["body"], "We do not take calls from this number. Please write to us.");
    let told = story.business.delivered(ANSWERED_WITHIN, |all| all.first().cloned()).await;
    let told = told.expect("the business gets the outcome of the refused call");
    assert_eq!((told.event.as_str(), &told.body["ending"]), ("call.rejected", &json!("refused_by_lookup")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_business_chooses_an_agent_that_the_file_allows() {
    let story = StoryBuilder::default().knowing_callers().begin().await;
    let allows = story
        .agent_file()
        .replace("timeout_ms = 800", "timeout_ms = 1500\nmay_override = [\"front-desk-fr\"]");
    let closing = clips::agent_closing();
    let french = format!(
        "name = \"front-desk-fr\"\ninstructions = \"You answer in French.\"\n[greeting]\nsay = {:?}\n",
        closing.text
    );
    push(&story, "mirsk-bikes", &allows).await;
    push(&story, "front-desk-fr", &french).await;
    let number = MetaConfig::default().phone_number_id.into();
    story.stack.store.assign(&number, "mirsk-bikes").await.expect("the table can be written to");
    // Call-control decides while it still handles the first order: two instances of it are warm after a call.
    let first = story.ring().await;
    first.is_greeted().await;
    first.hangs_up().await;
    story
        .business
        .set_answer(json!({"call_inbound": {"override_agent_id": "front-desk-fr", "language": "fr"}}));
    let caller = story.ring().await;
    let call_ref = caller.call_ref();
    caller.is_greeted().await;
    caller.hears_out(&closing).await;

    let after = caller.hangs_up().await;

    assert_eq!(after.ending, Ending::CallerHungUp);
    let sessions = story.model.sessions();
    let update =
        sessions[1].events_of(Side::Client, "session.update").next().expect("it is configured").to_string();
    assert!(update.contains("You answer in French."), "{update}");
    let shown = said(&story, &["show", &call_ref.to_string()]).await;
    assert!(shown.contains("front-desk-fr"), "{shown}");
}

/// Rings as the n-th customer, whose lookups have this fault.
async fn ring(story: &Story, n: usize, fault: Option<Fault>) -> Caller<'_> {
    let number = format!("9199000000{n:02}");
    let known =
        Map::from_iter([("customer_name".to_owned(), json!("Amina")), ("order".to_owned(), json!("427"))]);
    story.business.add_customer(&number, known);
    story.business.set_faults_of(&number, &Vec::from_iter(fault));
    let user_id = format!("IN.555012345678901234{n:02}");
    story.ring_as(CallerConfig { number: Some(number), user_id, ..CallerConfig::default() }).await
}

async fn is_greeted_in_time(
    story: &Story,
    caller: Caller<'_>,
    fault: Option<Fault>,
    greeting: Option<&Clip>,
) {
    caller.is_picked_up().await;
    // It is written once the greeting was heard to its end, in each of the calls that go on side by side.
    let said = story.first_line_of(&caller).await;
    if let Some(greeting) = greeting {
        assert_eq!(said, greeting.text, "{fault:?}");
        assert!(caller.has_heard(greeting), "{fault:?}");
    }
    let report = caller.phone().report();
    let (posted, accepted) = (report.posted.expect("it rang"), report.accepted.expect("it was accepted"));
    assert!(accepted - posted < ANSWERED_WITHIN, "{fault:?}: {:?}", accepted - posted);
    let journal = caller.journal().await;
    // The first word follows the accept at once where it is ready before. How soon is measured elsewhere, on an idle machine.
    let place = |is_it: fn(&JournalEvent) -> bool| journal.iter().position(is_it).expect("it happened");
    let ready = place(|event| matches!(event, JournalEvent::AgentReady { .. }));
    let accepted = place(|event| matches!(event, JournalEvent::Accepted { .. }));
    assert!(ready < accepted, "{fault:?}: {journal:?}");
    let outcome = entries!(journal, JournalEvent::Lookup { outcome, .. } => outcome.clone());
    let expected: &[&str] = match fault {
        None | Some(Fault::LookupSlow | Fault::LookupUnknownAgent | Fault::LookupHostileName) => &["used"],
        Some(Fault::LookupLate) => &["late"],
        Some(Fault::LookupWrongTypes) => &["used", "wrong"],
        Some(_) => &["failed", "wrong"],
    };
    assert!(outcome.len() == 1 && expected.contains(&outcome[0].as_str()), "{fault:?}: {outcome:?}");
    caller.phone().hang_up().await;
}

async fn push(story: &Story, name: &str, file: &str) {
    assert!(file.contains(KEY_NAME) || !file.contains("[lookup]"), "{file}");
    let agent = StoredAgent::new(name, file, now_ms());
    story.stack.store.put_agent(&agent).await.expect("the table can be written to");
}
