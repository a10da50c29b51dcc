//! One person who calls by WhatsApp and by telephone: counted once, shown by line, and forgotten on both.

use crate::operator_lookup::{json, said};
use call::{CallRef, Ending, Line};
use harness::telephone::{CALLER, DIALLED, NUMBER, TRUNK_KEY};
use harness::{Story, StoryBuilder};
use sim_audio::clips;
use sim_meta::MetaConfig;
use sim_openai::Side;
use sim_openai::sip::{CallReport, CallSpec, CarrierEventKind, PlacedCall, SipFault};
use std::time::{Duration, Instant};
use store::{StoredCall, call_ref};

/// The number of the person on WhatsApp, as a carrier writes it.
const PERSON: &str = "+919900000001";

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_counted_shown_and_forgotten_on_both_lines() {
    let story = with_one_agent_on_both_lines("calls_an_hour = 2").await;
    let whatsapp = story.ring().await;
    whatsapp.is_picked_up().await;
    let by_whatsapp = whatsapp.call_ref();
    whatsapp.hangs_up().await;
    let call = story.model.trunk().ring(by_telephone(PERSON));
    let by_telephone_ref = talks_by_telephone(&story, &call).await;

    let third = story.ring().await.afterwards().await;
    assert_eq!(
        third.ending,
        Ending::CalledTooOften,
        "one by WhatsApp and one by telephone are two: {third:?}"
    );
    let fourth = story.model.trunk().ring(by_telephone(PERSON));
    assert_eq!(rejected(&fourth).await, 486);
    let withheld = CallSpec { fault: Some(SipFault::Withheld), ..by_telephone(CALLER) };
    let withheld = story.model.trunk().ring(withheld);
    withheld.agent_speaks(PATIENCE).await.expect("without a number there is no limit");
    withheld.hang_up();
    settled(&story, &withheld).await;

    costs_what_openai_counted(&story, &call, &by_telephone_ref).await;
    is_shown_by_line(&story, &by_whatsapp, &by_telephone_ref).await;
    is_forgotten_on_both_lines(&story, &[by_whatsapp, by_telephone_ref]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_entry_of_a_telephone_call_names_the_line() {
    let story = StoryBuilder::default().with_telephone().begin().await;
    let whatsapp = story.ring().await;
    whatsapp.is_picked_up().await;
    whatsapp.hangs_up().await;
    let ours = story.model.trunk().ring(by_telephone(CALLER));
    ours.agent_speaks(PATIENCE).await.expect("the agent greets");
    ours.hang_up();
    settled(&story, &ours).await;
    let keyless = story.model.trunk().ring(CallSpec::new(CALLER, DIALLED));
    assert_eq!(rejected(&keyless).await, 403);
    settled(&story, &keyless).await;
    let not_ours =
        story.model.trunk().ring(CallSpec::new(CALLER, "+35621000077").header("X-Ahoy-Key", TRUNK_KEY));
    story.comes_to(|| !story.logs_with("WA_CALL_NOT_OURS").is_empty()).await;
    not_ours.hang_up();

    let on_the_telephone = [&ours, &keyless, &not_ours].map(|call| call_ref(&call.id()));
    let lines =
        story.logs_with("WA_CALL_").into_iter().map(|line| serde_json::from_str(&line).expect("it is JSON"));
    let lines: Vec<serde_json::Value> = lines.collect();
    assert!(lines.len() >= 25, "{lines:?}");
    for line in lines {
        let is_telephone = on_the_telephone.iter().any(|call| line["call_ref"] == call.as_str());
        assert_eq!(line.get("line").and_then(|line| line.as_str()), is_telephone.then_some("sip"), "{line}");
        let number = if line["event"] == "WA_CALL_NOT_OURS" { "…77" } else { NUMBER };
        assert!(!is_telephone || line["number"] == number, "{line}");
    }
}

async fn with_one_agent_on_both_lines(caps: &str) -> Story {
    let story = StoryBuilder::default()
        .with_agent_also(&format!("\n[caps]\n{caps}\n"))
        .with_telephone()
        .begin()
        .await;
    let whatsapp = MetaConfig::default().phone_number_id.into();
    story.stack.store.assign(&whatsapp, NUMBER).await.expect("the table can be written to");
    story
}

fn by_telephone(from: &str) -> CallSpec {
    CallSpec::new(from, DIALLED).header("X-Ahoy-Key", TRUNK_KEY)
}

/// Hears the greeting, asks, hears the answer and hangs up.
async fn talks_by_telephone(story: &Story, call: &PlacedCall) -> CallRef {
    call.answered(PATIENCE).await.expect("the call is answered");
    has_spoken(call, 1).await;
    call.say(&clips::caller_question());
    has_spoken(call, 2).await;
    call.hang_up();
    assert_eq!(settled(story, call).await.call.ending(), Some(Ending::CallerHungUp));
    call_ref(&call.id())
}

async fn has_spoken(call: &PlacedCall, times: usize) {
    let finished = |report: &CallReport| {
        let stopped = report.agent.last().and_then(|speech| speech.stopped)?;
        (report.agent.len() >= times && stopped <= Instant::now()).then_some(())
    };
    call.wait_until("what the agent says", PATIENCE, finished).await.expect("the agent speaks");
}

async fn rejected(call: &PlacedCall) -> u16 {
    let status = |report: &CallReport| {
        report.carrier.iter().find_map(|event| match event.kind {
            CarrierEventKind::Rejected(status) => Some(status),
            _ => None,
        })
    };
    call.wait_even_after_the_end("a reject", PATIENCE, status).await.expect("the call is rejected")
}

async fn settled(story: &Story, call: &PlacedCall) -> StoredCall {
    story.calls.settled(&call_ref(&call.id()), PATIENCE).await.expect("the call ends")
}

/// The summary has the tokens that OpenAI counted, and a price for them.
async fn costs_what_openai_counted(story: &Story, call: &PlacedCall, call_ref: &CallRef) {
    let summary = story.calls.summary(call_ref).await.expect("the table can be read").expect("there is one");
    let session = &story.model.sessions()[call.report().session.expect("it was accepted")];
    let counted = |path: &str| -> u64 {
        let done = session.events_of(Side::Server, "response.done");
        done.filter_map(|event| event["response"].pointer(path)?.as_u64()).sum()
    };
    let tokens = summary.tokens;
    assert_eq!((summary.line.known(), summary.number.as_str()), (Some(Line::Sip), NUMBER));
    assert!(tokens.audio_out > 0, "{tokens:?}");
    assert_eq!(tokens.audio_out, counted("/usage/output_token_details/audio_tokens"));
    assert_eq!(
        tokens.text_in + tokens.text_cached + tokens.audio_in + tokens.audio_cached,
        counted("/usage/input_tokens")
    );
    assert!(summary.micro_dollars > Some(0) && summary.transcription_priced, "{summary:?}");
    assert_eq!((summary.mos_up, summary.mos_down, summary.verdict), (None, None, None));
}

async fn is_shown_by_line(story: &Story, by_whatsapp: &CallRef, by_telephone: &CallRef) {
    for (line, wanted) in [("whatsapp", by_whatsapp), ("sip", by_telephone)] {
        let asked = ["calls", "--json", "--line", line, "--ending", "caller_hung_up", "--user", PERSON];
        let found = json(story, &asked).await;
        let calls: Vec<_> =
            found["calls"].as_array().expect("it lists").iter().map(|it| &it["call_ref"]).collect();
        assert_eq!(calls, [wanted.as_str()], "{line}");
    }
    let shown = said(story, &["show", by_telephone.as_str()]).await;
    assert!(
        shown.contains("number malta") && shown.contains("line       sip") && shown.contains("cost "),
        "{shown}"
    );
    assert!(!shown.contains("MOS") && !shown.contains("verdict"), "{shown}");
    let page = story.folder.join("telephone.html");
    said(story, &["report", by_telephone.as_str(), "-o", page.to_str().expect("paths are UTF-8")]).await;
    let page = std::fs::read_to_string(page).expect("it was written");
    assert!(page.contains("telephone number") && page.contains("id=\"cost\""), "{page}");
    assert!(!page.contains("MOS") && !page.contains("Network quality"), "{page}");
}

async fn is_forgotten_on_both_lines(story: &Story, calls: &[CallRef]) {
    let done = json(story, &["forget", PERSON, "--yes", "--json"]).await;
    assert_eq!((&done["forgotten"], &done["calls"]), (&true.into(), &4.into()), "{done}");
    assert_eq!(done["numbers"][NUMBER], 2, "{done}");
    let stored = story.everything_stored().await;
    for trace in calls.iter().map(CallRef::as_str).chain(["919900000001", "USER#", "CALLER#"]) {
        assert!(!stored.contains(trace), "{trace:?} is still stored: {stored}");
    }
}
