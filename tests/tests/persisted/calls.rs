//! The state of a call, as call-control stores it.

use crate::held::{hold, hold_read, hold_texts, json};
use call::{
    AnswerAttempt, Assignment, Call, CallerDetails, Effect, Ending, Fence, Line, Party, Phase, Timestamp,
};
use std::time::Duration;
use store::{CallerNames, Chosen, HungUp, StoredCall};

const RANG_AT: Timestamp = Timestamp(1_795_305_600_000);

#[test]
fn endings_and_parties_keep_their_words() {
    hold("endings.tsv", &endings());
    let parties = every!(Party; "caller": Caller, "agent": Agent, "us": Us, "meta": Meta, "line": Line);
    hold("parties.tsv", &parties);
    let ended_by = endings().into_iter().map(|(name, ending)| (name.to_owned(), json(&ending.by())));
    hold_texts("ended-by.tsv", ended_by);
    let before =
        endings().into_iter().map(|(name, ending)| (name.to_owned(), json(&ending.for_previous_release())));
    hold_texts("endings-for-the-release-before.tsv", before);
}

#[test]
fn phases_keep_their_form() {
    let phases = every!(Phase;
        "ringing": Ringing,
        "connecting": Connecting,
        "accepting": Accepting,
        "live": Live,
        "ended": Ended(Ending::CallerHungUp),
    );
    hold("phases.tsv", &phases);
}

#[test]
fn effects_keep_their_form() {
    hold("effects.tsv", &effects());
}

#[test]
fn calls_keep_their_form() {
    let ringing = Call::ringing(RANG_AT, Duration::from_secs(25));
    let ended = Call {
        phase: Phase::Ended(Ending::TookTooLong),
        due: None,
        pending: vec![],
        newer_ending: Some(Ending::CapReached),
        ended_at: Some(Timestamp(RANG_AT.0 + 90_000)),
        ..whole()
    };
    let on_sip = Call { line: Line::Sip, ..Call::ringing(RANG_AT, Line::Sip.rings_for()) };
    let accepting = Call { phase: Phase::Accepting, accept_asked: true, ..on_sip.clone() };
    let adrift =
        Call { phase: Phase::Live, adrift_until: Some(Timestamp(RANG_AT.0 + 70_000)), ..on_sip.clone() };
    let whatsapp = [("ringing", ringing), ("whole", whole()), ("ended_in_a_newer_word", ended)];
    hold(
        "calls.tsv",
        &[&whatsapp[..], &[("on_sip", on_sip), ("accepting_on_sip", accepting), ("adrift", adrift)]].concat(),
    );
}

#[test]
fn state_items_keep_their_form() {
    let file = "state-items.tsv";
    let caller = CallerNames { number: Some("15550001111".into()), user_id: Some("US.1".into()) };
    let ring = |caller| {
        StoredCall::ringing("wacid.1", &"220".into(), "v=0\r\n", caller, RANG_AT, Duration::from_secs(25))
    };
    let mut whole_item = ring(caller);
    (whole_item.version, whole_item.call) = (7, whole());
    whole_item.hung_up = Some(HungUp { errors: vec![138_021] });
    // Some of its fields are call-control's own: they are added as text, and must be read and written back.
    let own = r#""held_by":"0a","seat_token":{"fence":2,"token":"t0"},"is_listed":true"#;
    let whole_item = json(&whole_item).replace(r#""is_listed":false"#, own);
    let mut looked_up = ring(CallerNames::default());
    looked_up.details =
        Some(CallerDetails { number: None, number_verified: false, user_id: None, ..details() });
    looked_up.chosen = Some(chosen());
    let mut least = ring(CallerNames::default());
    least.chosen = Some(Chosen::default());
    let looked_up = [("looked_up", json(&looked_up)), ("looked_up_least", json(&least))];
    let by_sip = |is_untrusted| {
        let caller = CallerNames { number: Some("15550001111".into()), user_id: None };
        json(&StoredCall::ringing_by_sip("rtc_1", &"shop".into(), caller, is_untrusted, RANG_AT))
    };
    let sip = [("by_sip", by_sip(false)), ("by_sip_untrusted", by_sip(true))];
    let texts = [("ringing", json(&ring(CallerNames::default()))), ("whole", whole_item)]
        .into_iter()
        .chain(sip)
        .chain(looked_up);

    hold_texts(file, texts.map(|(name, text)| (name.to_owned(), text)));
    hold_read::<StoredCall>(file);
}

/// Everything that can be known of a caller.
pub(crate) fn details() -> CallerDetails {
    CallerDetails {
        number: Some("15550001111".into()),
        number_verified: true,
        user_id: Some("US.1".into()),
        name: Some("Asha".into()),
        username: Some("asha.k".into()),
        deeplink_payload: Some("campaign-42".into()),
        cta_payload: Some("button-7".into()),
        called_number: Some("15550002222".into()),
    }
}

fn chosen() -> Chosen {
    Chosen {
        agent: Some("front-desk-fr".into()),
        language: Some("fr".into()),
        is_refused: true,
        message: Some("Sorry.".into()),
    }
}

fn seat() -> Assignment {
    Assignment { task: "0a".into(), fence: Fence(2) }
}

fn endings() -> Vec<(&'static str, Ending)> {
    every!(Ending;
        "caller_hung_up": CallerHungUp,
        "caller_gave_up": CallerGaveUp,
        "caller_vanished": CallerVanished,
        "agent_said_goodbye": AgentSaidGoodbye,
        "took_too_long": TookTooLong,
        "both_silent": BothSilent,
        "cap_reached": CapReached,
        "agent_unavailable": AgentUnavailable,
        "closed": Closed,
        "over_budget": OverBudget,
        "called_too_often": CalledTooOften,
        "no_capacity": NoCapacity,
        "offer_unanswerable": OfferUnanswerable,
        "meta_refused": MetaRefused,
        "media_never_connected": MediaNeverConnected,
        "media_failed": MediaFailed,
        "drained": Drained,
        "lost": Lost,
        "transferred": Transferred,
        "line_refused": LineRefused,
        "line_failed": LineFailed,
        "untrusted": Untrusted,
        "refused_by_lookup": RefusedByLookup,
    )
}

fn effects() -> Vec<(&'static str, Effect)> {
    every!(Effect;
        "find_seat": AssignTask,
        "launch_task": LaunchTask,
        "offer": Offer(seat()),
        "pre_accept": PreAccept,
        "accept": Accept,
        "reject": Reject,
        "terminate": Terminate,
        "release": Release(seat()),
        "tell_caller": TellCaller(Ending::NoCapacity),
        "check_task": CheckTask(seat()),
    )
}

fn whole() -> Call {
    let after = |ms| Timestamp(RANG_AT.0 + ms);
    Call {
        line: Line::WhatsApp,
        phase: Phase::Live,
        rang_at: RANG_AT,
        ring_deadline: after(25_000),
        due: Some(after(30_000)),
        pending: effects().into_iter().map(|(_, effect)| effect).collect(),
        attempts: 3,
        unheard: 1,
        telling: Some(AnswerAttempt { until: after(40_000), for_task: true, question: Some(4) }),
        assignment: Some(seat()),
        fence: Fence(2),
        refused_by: vec!["09".into()],
        answer: Some("v=0\r\n".into()),
        pre_accepted: true,
        launched: true,
        silent_since: Some(after(20_000)),
        silent_lease: Some(after(21_000).0),
        accept_asked: false,
        accepted_at: Some(after(2_000)),
        adrift_until: None,
        ended_at: None,
        newer_ending: None,
    }
}
