//! Orders and requests between call-control, media tasks and the webhook.

use crate::calls::details;
use crate::held::hold;
use call::{CallRef, Ending, Fence, Line};
use internal_api::control_api::{Answer, Offer, Refusal, Release, Undelivered};
use internal_api::order::{Order, Rejection, Reply};

#[test]
fn offers_and_what_is_replied_keep_their_form() {
    let whole = Offer {
        fence: Fence(2),
        version: 7,
        number: "220".into(),
        line: Line::WhatsApp,
        realtime_call: None,
        accepted_at_ms: None,
        is_ungreeted: false,
        offer: "v=0\r\n".into(),
        rang_at_ms: 1_795_305_600_000,
        ring_deadline_ms: 1_795_305_625_000,
        agent: Some("name = \"a\"\n".into()),
        hides_number: true,
        caller: Some("5eed".into()),
        details: None,
        is_chosen: false,
        language: None,
        token: Some("t0".into()),
    };
    let least = Offer { agent: None, hides_number: false, caller: None, token: None, ..whole.clone() };
    let sip =
        Offer { line: Line::Sip, realtime_call: Some("rtc_1".into()), offer: String::new(), ..whole.clone() };
    let taken_over = Offer { accepted_at_ms: Some(1_795_305_601_000), ..sip.clone() };
    let ungreeted = Offer { is_ungreeted: true, ..taken_over.clone() };
    let with_details = Offer { details: Some(details()), ..whole.clone() };
    let chosen = Offer { is_chosen: true, language: Some("fr".into()), ..with_details.clone() };
    hold(
        "offers.tsv",
        &[
            ("whole", whole),
            ("least", least),
            ("sip", sip),
            ("sip_taken_over", taken_over),
            ("sip_ungreeted", ungreeted),
            ("with_details", with_details),
            ("chosen", chosen),
        ],
    );
    hold("answers.tsv", &[("answer", Answer { answer: "v=0\r\n".into() })]);
    hold("refusals.tsv", &[("refusal", Refusal { reason: "full".into() })]);
    hold("releases.tsv", &[("release", Release { fence: Fence(2) })]);
    hold("undelivered.tsv", &[("undelivered", Undelivered { fence: Fence(2), id: "call_1".into() })]);
}

#[test]
fn orders_keep_their_form() {
    let (call_ref, token) = (CallRef::from("ab12"), Some("t0".to_owned()));
    let (fence, call) = (Fence(2), || call_ref.clone());
    let mut orders = every!(Order;
        "tick": Tick { call_ref: call() },
        "media_connected": MediaConnected { call_ref: call(), fence, was_lost: true, question: Some(4), lost: Some(3), token: token.clone() },
        "task_ended": TaskEnded {
            call_ref: call(), fence, token: token.clone(), ending: Ending::TookTooLong.into(), newer: Some(Ending::CapReached.into()),
        },
        "send_message": SendMessage { call_ref: call(), fence, token: token.clone(), id: "call_1".into(), text: "Mill Lane 14".into() },
        "transfer_call": TransferCall { call_ref: call(), fence, token: token.clone(), id: "call_1".into() },
        "caller_looked_up": CallerLookedUp {
            call_ref: call(), fence, token, agent: Some("front-desk-fr".into()), language: Some("fr".into()),
            reject: Some(Rejection { message: Some("Sorry.".into()) }),
        },
        "message_failed": MessageFailed { call_ref: call(), message: "cd34".into() },
        "user_changed": UserChanged { number: "220".into(), notice: "NOTICE#user#changed#5eed".into() },
    );
    let least = Order::MediaConnected {
        call_ref: call(),
        fence,
        was_lost: false,
        question: None,
        lost: None,
        token: None,
    };
    orders.push(("media_connected_least", least));
    let least = Order::TaskEnded {
        call_ref: call(),
        fence,
        token: None,
        ending: Ending::Drained.into(),
        newer: None,
    };
    orders.push(("task_ended_least", least));
    let reject = Some(Rejection { message: None });
    let least =
        Order::CallerLookedUp { call_ref: call(), fence, token: None, agent: None, language: None, reject };
    orders.push(("caller_looked_up_least", least));
    hold("orders.tsv", &orders);
}

#[test]
fn replies_keep_their_form() {
    let mut replies = every!(Reply;
        "open": Open { version: 7 },
        "wait": Wait,
        "over": Over,
        "sent": Sent,
        "not_sent": NotSent { reason: "it is empty".into(), in_doubt: true },
        "transferring": Transferring,
        "not_transferred": NotTransferred { reason: "the day is over".into(), is_budget_spent: true },
        "agent": Agent { text: Some("name = \"a\"\n".into()), language: Some("fr".into()) },
    );
    replies.push(("agent_least", Reply::Agent { text: None, language: None }));
    hold("replies.tsv", &replies);
}
