//! `ahoy doctor` reports each fault by its check, and nothing else.

use crate::business::{Business, DoctorReport};
use crate::webhook_server;
use serde_json::json;
use service::time::now_ms;
use sim_meta::SetupFault;
use store::{Delivery, OutboxClaim, OutboxEvent, OutboxItem, OutboxKey, OutboxTry, StoredAgent};

#[tokio::test]
async fn every_check_of_a_healthy_business_passes() {
    let business = Business::healthy().await;

    let found = business.doctor(&[], &[]).await;
    let output = business.ahoy(&["doctor"]).await;

    assert_eq!(
        (found.with_finding("wrong"), found.with_finding("unknown")),
        (vec![], vec![]),
        "{:#}",
        found.report
    );
    assert_eq!((found.code, &found.report["healthy"]), (Some(0), &json!(true)));
    assert_eq!((output.code, &output.err[..]), (Some(0), ""));
    assert!(output.out.ends_with("40 fine, 0 wrong, 0 unknown\n"), "{}", output.out);
    assert!(!output.out.contains('\u{1b}'), "colours go to terminals only");
}

#[tokio::test]
async fn each_fault_at_meta_is_found_by_its_check() {
    let business = Business::healthy().await;
    for fault in SetupFault::ALL {
        business.meta.inject_setup_fault(*fault);

        let found = business.doctor(&[], &[]).await;

        let (finding, check, code) = expected(*fault);
        let faults = found.with_finding(finding);
        assert!(faults.contains(&check), "{}: {:#}", fault.name(), found.report);
        // Without token, account or subscription, more than one check fails; every other fault fails its own check only.
        let is_alone = !matches!(fault, SetupFault::AppUnsubscribed | SetupFault::TokenElsewhere);
        if is_alone && !found.with_finding("unknown").contains(&"number-status") {
            assert_eq!(faults, [check], "{}", fault.name());
        }
        assert_eq!(found.check(check)["code"].as_u64(), code, "{}", fault.name());
        assert_eq!(found.code, Some(i32::from(finding == "wrong")), "{}", fault.name());
        business.reset();
    }
}

#[tokio::test]
async fn a_number_without_an_agent_is_found() {
    let business = Business::healthy().await;
    let other = business.doctor(&[("AHOY_NUMBER", "330000000000003")], &[]).await;

    assert_eq!(
        other.with_finding("wrong"),
        ["token-account", "number-status", "number-agent"],
        "{:#}",
        other.report
    );
}

#[tokio::test]
async fn with_several_numbers_each_is_checked_under_its_id() {
    const OTHER: &str = "330000000000003";
    let business = Business::healthy().await;
    business.store.assign(&OTHER.into(), "shop").await.unwrap();

    let found = business.doctor(&[], &[]).await;
    let output = business.ahoy(&["doctor"]).await;
    let one = business.doctor(&[], &["--number", crate::business::NUMBER]).await;

    assert_eq!(found.report["numbers"], json!([crate::business::NUMBER, OTHER]));
    assert_eq!(
        found.with_finding("wrong"),
        ["token-account", "number-status"],
        "Meta knows one: {:#}",
        found.report
    );
    let checks = found.report["checks"].as_array().unwrap();
    assert!(
        checks.iter().filter(|it| it["finding"] == "wrong").all(|it| it["number"] == OTHER),
        "{checks:#?}"
    );
    assert_eq!(checks.iter().filter(|it| it["name"] == "table").count(), 1, "the table is checked once");
    assert!(output.out.contains(&format!("\nnumber {OTHER}\n")), "{}", output.out);
    assert!(output.out.contains(" on 2 numbers (--number checks one)"), "{}", output.out);
    assert_eq!((one.code, &one.report["numbers"]), (Some(0), &json!([crate::business::NUMBER])));
    let setup = business.ahoy(&["setup"]).await;
    assert!(setup.err.contains(&format!("name one with --number: {}, {OTHER}", crate::business::NUMBER)));
}

#[tokio::test]
async fn wrong_settings_of_the_deployment_are_found() {
    let business = Business::healthy().await;
    let unverified = webhook_server::start_unverified().await;
    let old = business.meta.graph_url().replace("v26.0", "v20.0");
    let cases: [(&str, &str, &[&str]); 9] = [
        ("META_SECRET", "gone", &["meta-secret"]),
        ("MEDIA_SECRET", "gone", &["media-secret"]),
        ("TABLE", "gone", &["table"]),
        ("META_VERIFY_TOKEN", "another", &["webhook-challenge"]),
        ("META_APP_SECRET", "another", &["app-secret", "webhook-signed"]),
        ("OPENAI_API_KEY", "another", &["openai-key"]),
        ("REALTIME_MODEL", "gpt-none", &["openai-model"]),
        ("WEBHOOK_URL", &unverified, &["app-webhook", "webhook-challenge", "webhook-forged"]),
        ("GRAPH_URL", &old, &["graph-version"]),
    ];
    for (name, value, wrong) in cases {
        let found = business.doctor(&[("AHOY_NUMBER", crate::business::NUMBER), (name, value)], &[]).await;

        assert_eq!(found.with_finding("wrong"), wrong, "{name}: {:#}", found.report);
    }
}

#[tokio::test]
async fn a_session_part_that_openai_refuses_is_found() {
    let forbids = vec![sim_openai::ForbiddenParameter::new("audio.input.transcription")];
    let business = Business::with_model(|model| model.forbids = forbids).await;

    let found = business.doctor(&[], &[]).await;

    assert_eq!(wrong(&found), ["openai-session"], "{:#}", found.report);
    let says = found.check("openai-session")["says"].as_str().unwrap_or_default().to_owned();
    assert!(says.contains("run without transcription (unsupported_parameter)"), "{says}");
}

#[tokio::test]
async fn faults_on_aws_are_found() {
    let business = Business::healthy().await;

    business.keep_warm(1).await;
    assert_eq!(wrong(&business.doctor(&[], &[]).await), ["warm-tasks"]);
    business.keep_warm(u64::MAX / 2).await;
    business.cloud.set_concurrency_quota(10);
    assert_eq!(wrong(&business.doctor(&[], &[]).await), ["lambda-concurrency"]);
    let unprotected = [("CALL_CONTROL", "unprotected")];
    business.cloud.set_concurrency_quota(349);
    assert_eq!(wrong(&business.doctor(&unprotected, &[]).await), [""; 0], "none can be reserved");
    business.cloud.set_concurrency_quota(350);
    assert_eq!(wrong(&business.doctor(&unprotected, &[]).await), ["lambda-concurrency"]);
    let elsewhere = business.doctor(&[("CALL_CONTROL", "elsewhere")], &[]).await;
    assert_eq!(elsewhere.with_finding("unknown"), ["lambda-concurrency"]);
    business.cloud.rotate_secret("media", r#"{"openai_api_key": "", "door_key": "k"}"#);
    let empty = business.doctor(&[], &[]).await;
    assert_eq!(empty.check("media-secret")["says"], "the secret media has no openai_api_key yet");
    business.cloud.rotate_secret("media", "{}");
    let found = business.doctor(&[], &[]).await;
    assert_eq!(found.with_finding("wrong"), ["media-secret"]);
    assert_eq!(found.with_finding("unknown"), ["openai-key", "openai-model", "openai-session"]);
}

#[tokio::test]
async fn an_unreachable_webhook_is_found() {
    let business = Business::healthy().await;

    let found = business.doctor(&[("WEBHOOK_URL", "http://127.0.0.1:1/webhook")], &[]).await;

    let wanted = ["app-webhook", "webhook-challenge", "webhook-signed", "webhook-forged"];
    assert_eq!(found.with_finding("wrong"), wanted);
}

#[tokio::test]
async fn what_cannot_be_checked_is_unknown_with_the_reason() {
    let business = Business::healthy().await;
    let nothing = [("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "")];

    let found = business.doctor(&nothing, &[]).await;

    assert_eq!(found.with_finding("wrong"), Vec::<&str>::new(), "{:#}", found.report);
    assert_eq!(found.with_finding("fine"), ["graph-version", "webhook-forged"]);
    assert!(found.with_finding("unknown").ends_with(&["sip-secret"]), "nor whether there is a SIP line");
    assert_eq!(found.code, Some(0));
    assert!(found.check("table")["says"].as_str().unwrap().contains("AWS_REGION"));
}

fn wrong(found: &DoctorReport) -> Vec<&str> {
    found.with_finding("wrong")
}

/// Returns the finding, check and Meta's code that the doctor must report for a fault.
fn expected(fault: SetupFault) -> (&'static str, &'static str, Option<u64>) {
    let wrong = |check| ("wrong", check, None);
    let coded = |check, code| ("wrong", check, Some(code));
    match fault {
        SetupFault::TokenRevoked => coded("token-valid", 190),
        SetupFault::TokenOfPerson => wrong("token-kind"),
        SetupFault::TokenExpires => wrong("token-expiry"),
        SetupFault::TokenWithoutMessaging => coded("token-permissions", 200),
        SetupFault::TokenWithoutManagement => coded("token-permissions", 200),
        SetupFault::TokenElsewhere => wrong("token-account"),
        SetupFault::AppUnsubscribed => coded("app-calls", 138_018),
        SetupFault::AppWithoutCalls => wrong("app-calls"),
        SetupFault::AppWithoutMessages => wrong("app-messages"),
        SetupFault::AppInactive => wrong("app-active"),
        SetupFault::AppElsewhere => wrong("app-webhook"),
        SetupFault::AccountUnsubscribed => coded("account-subscribed", 138_018),
        SetupFault::AccountShared => ("unknown", "account-other-apps", None),
        SetupFault::AccountElsewhere => wrong("account-webhook"),
        SetupFault::AccountInReview => wrong("account-review"),
        SetupFault::AccountWithoutPayment => coded("account-payment", 131_044),
        SetupFault::NumberElsewhere => wrong("number-webhook"),
        SetupFault::NumberDisconnected => wrong("number-status"),
        SetupFault::NumberOffCloud => wrong("number-platform"),
        SetupFault::LimitLow | SetupFault::LimitNotSet => coded("number-limit", 138_015),
        SetupFault::CallingOff => coded("calling-enabled", 138_000),
        SetupFault::IconHidden => wrong("calling-icon"),
        SetupFault::SipOn => coded("calling-sip", 131_055),
        SetupFault::KeysBySdes => wrong("calling-keys"),
        SetupFault::HoursNever => wrong("calling-hours"),
        SetupFault::Restricted => coded("calling-restrictions", 138_014),
        SetupFault::GraphBusy => ("unknown", "token-valid", None),
    }
}

#[tokio::test]
async fn a_missing_signing_key_and_undelivered_events_are_warned_of() {
    let business = Business::healthy().await;
    let file = "name = \"shop\"\ninstructions = \"You answer.\"\ngreeting.say = \"Hello.\"\n\
        [tools]\nallowed_hosts = [\"shop.example\"]\n\
        [after]\nurl = \"https://shop.example/calls\"\nsign_with = \"shop\"\n";
    business.store.put_agent(&StoredAgent::new("shop", file, now_ms())).await.unwrap();

    let found = business.doctor(&[], &[]).await;
    assert_eq!(found.with_finding("warning"), ["business-keys"], "{:#}", found.report);
    let says = found.check("business-keys")["says"].as_str().unwrap_or_default().to_owned();
    assert_eq!(says, "agent shop signs with shop, which the media tasks' secret lacks");

    let keys = r#"{"openai_api_key": "sk-healthy", "door_key": "k", "tool_secrets": {"shop": "s"}}"#;
    business.cloud.rotate_secret("media", keys);
    let key = OutboxKey::of(&"ab12".into(), OutboxEvent::CallEnded);
    let event = OutboxItem::new(&key, &"220".into(), Some("shop"), now_ms());
    business.store.put_into_outbox(&event).await.unwrap();
    let claimed = business.store.claim_from_outbox(&key, now_ms(), now_ms() + 60_000).await.unwrap();
    let OutboxClaim::Yours(claimed) = claimed else { panic!("it is due") };
    let given_up = OutboxTry { next: Delivery::GivenUp, status: Some(500), why: None };
    business.store.finish_outbox_try(&claimed, &given_up, now_ms()).await.unwrap();

    let found = business.doctor(&[], &[]).await;
    assert_eq!(found.with_finding("warning"), ["business-events"], "{:#}", found.report);
}
