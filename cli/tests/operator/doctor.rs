//! `ahoy doctor` finds what is amiss, each thing by name, and nothing where nothing is.

use crate::business::{Business, Found};
use crate::front;
use serde_json::json;
use sim_meta::SetupFault;

#[tokio::test]
async fn a_healthy_business_is_green_from_end_to_end() {
    let business = Business::healthy().await;

    let found = business.examined(&[], &[]).await;
    let said = business.ahoy(&["doctor"]).await;

    assert_eq!((found.that_are("wrong"), found.that_are("unknown")), (vec![], vec![]), "{:#}", found.told);
    assert_eq!((found.code, &found.told["healthy"]), (Some(0), &json!(true)));
    assert_eq!((said.code, &said.err[..]), (Some(0), ""));
    assert!(said.out.ends_with("38 fine, 0 wrong, 0 unknown\n"), "{}", said.out);
    assert!(!said.out.contains('\u{1b}'), "colours are for terminals");
}

#[tokio::test]
async fn each_thing_amiss_at_meta_is_found_by_name() {
    let business = Business::healthy().await;
    for snag in SetupFault::ALL {
        business.meta.snag(*snag);

        let found = business.examined(&[], &[]).await;

        let (finding, check, code) = expected(*snag);
        let amiss = found.that_are(finding);
        assert!(amiss.contains(&check), "{}: {:#}", snag.name(), found.told);
        // Without its token, its account or its subscription, more than that one check is amiss. All else is only what it is.
        let is_alone = !matches!(snag, SetupFault::AppUnsubscribed | SetupFault::TokenElsewhere);
        if is_alone && !found.that_are("unknown").contains(&"number-status") {
            assert_eq!(amiss, [check], "{}", snag.name());
        }
        assert_eq!(found.check(check)["code"].as_u64(), code, "{}", snag.name());
        assert_eq!(found.code, Some(i32::from(finding == "wrong")), "{}", snag.name());
        business.heal();
    }
}

#[tokio::test]
async fn a_number_without_an_agent_is_found() {
    let business = Business::healthy().await;
    let other = business.examined(&[("AHOY_NUMBER", "330000000000003")], &[]).await;

    assert_eq!(
        other.that_are("wrong"),
        ["token-account", "number-status", "number-agent"],
        "{:#}",
        other.told
    );
}

#[tokio::test]
async fn of_several_numbers_each_is_examined_and_told_by_its_id() {
    const OTHER: &str = "330000000000003";
    let business = Business::healthy().await;
    business.ledger.assign(OTHER, "shop").await.unwrap();

    let found = business.examined(&[], &[]).await;
    let said = business.ahoy(&["doctor"]).await;
    let one = business.examined(&[], &["--number", crate::business::NUMBER]).await;

    assert_eq!(found.told["numbers"], json!([crate::business::NUMBER, OTHER]));
    assert_eq!(
        found.that_are("wrong"),
        ["token-account", "number-status"],
        "Meta knows one: {:#}",
        found.told
    );
    let checks = found.told["checks"].as_array().unwrap();
    assert!(
        checks.iter().filter(|it| it["finding"] == "wrong").all(|it| it["number"] == OTHER),
        "{checks:#?}"
    );
    assert_eq!(checks.iter().filter(|it| it["name"] == "table").count(), 1, "the table is no number's");
    assert!(said.out.contains(&format!("\nnumber {OTHER}\n")), "{}", said.out);
    assert!(said.out.contains(" on 2 numbers (--number looks at one)"), "{}", said.out);
    assert_eq!((one.code, &one.told["numbers"]), (Some(0), &json!([crate::business::NUMBER])));
    let setup = business.ahoy(&["setup"]).await;
    assert!(setup.err.contains(&format!("name one with --number, of {}, {OTHER}", crate::business::NUMBER)));
}

#[tokio::test]
async fn what_is_amiss_with_our_own_settings_is_found() {
    let business = Business::healthy().await;
    let gullible = front::gullible().await;
    let old = business.meta.graph_url().replace("v26.0", "v20.0");
    let cases: [(&str, &str, &[&str]); 9] = [
        ("META_SECRET", "gone", &["meta-secret"]),
        ("MEDIA_SECRET", "gone", &["media-secret"]),
        ("TABLE", "gone", &["table"]),
        ("META_VERIFY_TOKEN", "another", &["webhook-challenge"]),
        ("META_APP_SECRET", "another", &["app-secret", "webhook-signed"]),
        ("OPENAI_API_KEY", "another", &["openai-key"]),
        ("REALTIME_MODEL", "gpt-none", &["openai-model"]),
        ("WEBHOOK_URL", &gullible, &["app-webhook", "webhook-challenge", "webhook-forged"]),
        ("GRAPH_URL", &old, &["graph-version"]),
    ];
    for (name, value, wrong) in cases {
        let found = business.examined(&[("AHOY_NUMBER", crate::business::NUMBER), (name, value)], &[]).await;

        assert_eq!(found.that_are("wrong"), wrong, "{name}: {:#}", found.told);
    }
}

#[tokio::test]
async fn a_part_that_openai_refuses_is_found() {
    let forbids = vec![sim_openai::Forbidden::new("audio.input.transcription")];
    let business = Business::with_model(|model| model.forbids = forbids).await;

    let found = business.examined(&[], &[]).await;

    assert_eq!(wrong(&found), ["openai-session"], "{:#}", found.told);
    let says = found.check("openai-session")["says"].as_str().unwrap_or_default().to_owned();
    assert!(says.contains("do without transcription (unsupported_parameter)"), "{says}");
}

#[tokio::test]
async fn what_is_amiss_on_aws_is_found() {
    let business = Business::healthy().await;

    business.keep_warm(1).await;
    assert_eq!(wrong(&business.examined(&[], &[]).await), ["warm-tasks"]);
    business.keep_warm(u64::MAX / 2).await;
    business.cloud.set_concurrency_quota(10);
    assert_eq!(wrong(&business.examined(&[], &[]).await), ["lambda-concurrency"]);
    let unprotected = [("CALL_CONTROL", "unprotected")];
    business.cloud.set_concurrency_quota(349);
    assert_eq!(wrong(&business.examined(&unprotected, &[]).await), [""; 0], "none can be reserved");
    business.cloud.set_concurrency_quota(350);
    assert_eq!(wrong(&business.examined(&unprotected, &[]).await), ["lambda-concurrency"]);
    let elsewhere = business.examined(&[("CALL_CONTROL", "elsewhere")], &[]).await;
    assert_eq!(elsewhere.that_are("unknown"), ["lambda-concurrency"]);
    business.cloud.rotate_secret("media", r#"{"openai_api_key": "", "door_key": "k"}"#);
    let empty = business.examined(&[], &[]).await;
    assert_eq!(empty.check("media-secret")["says"], "the secret media has no openai_api_key yet");
    business.cloud.rotate_secret("media", "{}");
    let found = business.examined(&[], &[]).await;
    assert_eq!(found.that_are("wrong"), ["media-secret"]);
    assert_eq!(found.that_are("unknown"), ["openai-key", "openai-model", "openai-session"]);
}

#[tokio::test]
async fn a_webhook_that_nobody_answers_at_is_found() {
    let business = Business::healthy().await;

    let found = business.examined(&[("WEBHOOK_URL", "http://127.0.0.1:1/webhook")], &[]).await;

    let wanted = ["app-webhook", "webhook-challenge", "webhook-signed", "webhook-forged"];
    assert_eq!(found.that_are("wrong"), wanted);
}

#[tokio::test]
async fn what_cannot_be_looked_at_says_why_and_is_neither_fine_nor_wrong() {
    let business = Business::healthy().await;
    let nothing = [("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "")];

    let found = business.examined(&nothing, &[]).await;

    assert_eq!(found.that_are("wrong"), Vec::<&str>::new(), "{:#}", found.told);
    assert_eq!(found.that_are("fine"), ["graph-version", "webhook-forged"]);
    assert_eq!(found.code, Some(0));
    assert!(found.check("table")["says"].as_str().unwrap().contains("AWS_REGION"));
}

fn wrong(found: &Found) -> Vec<&str> {
    found.that_are("wrong")
}

/// What a doctor must say of a snag: the finding, by which check, with which code of Meta's.
fn expected(snag: SetupFault) -> (&'static str, &'static str, Option<u64>) {
    let wrong = |check| ("wrong", check, None);
    let coded = |check, code| ("wrong", check, Some(code));
    match snag {
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
