//! The faults that can be injected into a session.

use super::*;

#[test]
fn a_session_that_never_comes_says_nothing() {
    let mut rig = Rig::connected(with(InjectedFault::NoSession));

    rig.ask("response.create");
    rig.pass(Duration::from_secs(4_000));

    assert!(rig.inbox.is_empty());
    assert_eq!(rig.ending, None);
}

#[test]
fn an_empty_account_gets_the_error_first() {
    let rig = Rig::connected(with(InjectedFault::QuotaExhausted));

    assert_eq!(rig.received(), ["error"]);
    assert_eq!(rig.inbox[0]["error"]["type"], "insufficient_quota");
    assert!(matches!(rig.ending, Some(Output::Close { code: 4_000, .. })));
}

#[test]
fn the_connection_breaks_in_the_middle_of_a_sentence() {
    let after_deltas = 3;
    for fault in
        [InjectedFault::DropsSession { after_deltas }, InjectedFault::DropsThenRefuses { after_deltas }]
    {
        let mut rig = Rig::configured(with(fault));

        rig.respond(json!({}));

        assert_eq!(rig.all("response.output_audio.delta").len(), 3);
        assert_eq!(rig.ending, Some(Output::Break));
    }
}

#[test]
fn a_stalled_response_can_only_be_cancelled() {
    let mut rig = Rig::configured(with(InjectedFault::Stalls { after_deltas: 2 }));
    rig.ask("response.create");
    rig.pass(ms(30_000));
    assert_eq!((rig.all("response.output_audio.delta").len(), rig.all("response.done").len()), (2, 0));

    rig.ask("response.cancel");

    assert_eq!(rig.last("response.done")["response"]["status"], "cancelled");
}

#[test]
fn the_first_response_fails_and_the_next_one_does_not() {
    for (fault, code) in
        [(InjectedFault::ServerError, "server_error"), (InjectedFault::RateLimited, "rate_limit_exceeded")]
    {
        let mut rig = Rig::configured(with(fault));
        rig.ask("response.create");
        rig.pass(ms(300));
        let failed = rig.last("response.done")["response"].clone();
        assert_eq!(failed["status"], "failed");
        assert_eq!(failed["status_details"]["error"]["code"], code);

        rig.respond(json!({}));

        assert_eq!(rig.last("response.done")["response"]["status"], "completed");
    }
}

#[test]
fn samples_are_split() {
    let rig = Rig::greeted(with(InjectedFault::SplitsSamples));

    let odd = |delta: &&Value| {
        delta["delta"].as_str().and_then(|text| BASE64.decode(text).ok()).is_some_and(|b| b.len() % 2 == 1)
    };
    assert!(rig.all("response.output_audio.delta").iter().any(odd));
    assert_eq!(rig.session.report().spoken[0].sent_ms, clips::agent_greeting().duration().as_millis() as u64);
}

#[test]
fn a_turn_that_cannot_be_written_down_is_answered_all_the_same() {
    let mut rig = Rig::configured(with(InjectedFault::TranscriptionFails));

    rig.exchange();

    assert_eq!(rig.all("conversation.item.input_audio_transcription.failed").len(), 1);
    assert_eq!(rig.last("response.done")["response"]["status"], "completed");
}

#[test]
fn a_session_that_goes_silent_stays_open_and_says_nothing_more() {
    let mut rig = Rig::greeted(with(InjectedFault::GoesSilent { after_deltas: 3 }));
    let sent = rig.inbox.len();

    rig.ask("response.cancel");
    rig.take_turn();
    rig.pass(Duration::from_secs(4_000));

    assert_eq!(rig.all("response.output_audio.delta").len(), 3);
    assert_eq!((rig.inbox.len(), &rig.ending), (sent, &None));
}

#[test]
fn a_deaf_session_hears_no_turn() {
    let mut rig = Rig::configured(with(InjectedFault::Deaf));

    rig.exchange();

    assert!(
        rig.all("input_audio_buffer.speech_started").is_empty() && rig.all("response.created").is_empty()
    );
}

#[test]
fn the_fourth_response_of_a_hurried_client_succeeds() {
    let mut rig = Rig::configured(with(InjectedFault::RateLimitedThrice));

    for _ in 0..4 {
        rig.respond(json!({}));
    }

    let statuses: Vec<&str> =
        rig.all("response.done").iter().filter_map(|done| done["response"]["status"].as_str()).collect();
    assert_eq!(statuses, ["failed", "failed", "failed", "completed"]);
    let limits = rig.all("rate_limits.updated");
    assert_eq!(limits[0]["rate_limits"][0]["reset_seconds"], 0.6);
    assert_eq!((&limits[0]["rate_limits"][0]["remaining"], limits.len()), (&json!(0), 4));
    assert_eq!(rig.spoken(), ["agent-greeting"]);
}

#[test]
fn an_account_may_run_dry_in_the_middle_of_a_sentence() {
    let rig = Rig::greeted(with(InjectedFault::QuotaMidCall { after_deltas: 3 }));

    assert_eq!(rig.all("response.output_audio.delta").len(), 3);
    let failed = &rig.last("response.done")["response"];
    assert_eq!(failed["status_details"]["error"]["code"], "insufficient_quota");
    assert_eq!(failed["output"][0]["status"], "incomplete");
    let reason = "insufficient_quota.insufficient_quota".to_owned();
    assert_eq!(rig.ending, Some(Output::Close { code: 4_000, reason }));
}

#[test]
fn one_request_after_the_greeting_is_lost() {
    let mut rig = Rig::greeted(with(InjectedFault::IgnoresCreate));
    rig.exchange();
    assert_eq!(rig.all("response.created").len(), 2, "a turn is no request");

    rig.respond(json!({}));
    assert_eq!((rig.all("response.created").len(), rig.all("error").len()), (2, 0));
    rig.respond(json!({}));

    assert_eq!(rig.all("response.created").len(), 3);
}
