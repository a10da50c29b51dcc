//! `ahoy setup --sip` sets a SIP line up, asks first, prints no secret into a pipe, and changes nothing on a second run.

use crate::business::{Business, WEBHOOK_SECRET};
use serde_json::{Value, json};

#[tokio::test]
async fn a_new_line_is_set_up_and_a_second_run_changes_nothing() {
    let business = Business::with_new_sip_line(|_| {}).await;
    business.store.assign(&crate::business::DIALLED.into(), "shop").await.unwrap();

    let output = business.ahoy(&["setup", "--sip", "--yes", "--project", "proj_shop"]).await;
    let secret = business.secret("line").await;
    let again = business.ahoy(&["setup", "--sip", "--yes"]).await;
    let found = business.doctor(&[], &[]).await;

    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(
        output.out.contains("sip:proj_shop@localhost:") && output.out.contains("X-Ahoy-Dialled"),
        "{output:?}"
    );
    let endpoints = business.model.trunk().endpoints();
    assert_eq!((endpoints.len(), &endpoints[0].url), (1, &business.openai_webhook()));
    assert_eq!(endpoints[0].event_types, ["realtime.call.incoming"]);
    assert_eq!(json!(endpoints[0].secrets), json!([secret["openai_webhook_secret"]]));
    let key = secret["sip_trunk_key"].as_str().unwrap();
    assert_eq!(key.len(), 48);
    assert!(
        !output.out.contains(key) && output.out.contains("get-secret-value --secret-id line"),
        "{output:?}"
    );
    assert!(again.out.starts_with("Nothing to change.\n"), "{again:?}");
    assert_eq!(business.secret("line").await, secret);
    assert_eq!((found.code, found.with_finding("unknown")), (Some(0), vec![]), "{:#}", found.report);
}

#[tokio::test]
async fn without_a_yes_nothing_is_made() {
    let business = Business::with_new_sip_line(|_| {}).await;
    let before = business.secret("line").await;

    let output = business.ahoy(&["setup", "--sip"]).await;
    let report = business.ahoy(&["setup", "--sip", "--json"]).await;

    assert_eq!((output.code, &output.err[..]), (Some(1), "Nothing was changed. Answer yes, or use --yes.\n"));
    let report: Value = serde_json::from_str(&report.out).unwrap();
    let what: Vec<_> = report["changes"].as_array().unwrap().iter().map(|it| it["what"].clone()).collect();
    assert_eq!(
        (what, &report["changed"]),
        (vec![json!("webhook at OpenAI"), json!("sip_trunk_key")], &json!(false))
    );
    assert_eq!(report["webhook_url"], business.openai_webhook());
    assert_eq!(business.secret("line").await, before);
    assert_eq!(business.model.trunk().endpoints(), []);
}

#[tokio::test]
async fn what_is_rotated_stays_valid_until_it_is_forgotten() {
    let business = Business::with_sip_line().await;
    let rotate = ["setup", "--sip", "--yes", "--rotate", "webhook-secret", "--rotate", "trunk-key"];

    let output = business.ahoy(&rotate).await;
    let rotated = business.secret("line").await;
    let forgotten = business.ahoy(&["setup", "--sip", "--yes", "--forget-old"]).await;

    assert_eq!((output.code, forgotten.code), (Some(0), Some(0)), "{output:?} {forgotten:?}");
    let both = json!([WEBHOOK_SECRET, rotated["openai_webhook_secret"]]);
    assert_eq!(json!(business.model.trunk().endpoints()[0].secrets), both);
    assert_eq!(rotated["openai_webhook_secret_old"], WEBHOOK_SECRET);
    assert_eq!(rotated["sip_trunk_key_old"], crate::business::TRUNK_KEY);
    let left = json!({ "openai_webhook_secret": rotated["openai_webhook_secret"], "sip_trunk_key": rotated["sip_trunk_key"] });
    assert_eq!(business.secret("line").await, left);
}

#[tokio::test]
async fn a_webhook_whose_secret_is_unknown_gets_another_one() {
    let business = Business::with_sip_line().await;
    business.cloud.rotate_secret("line", json!({ "sip_trunk_key": "k", "more": 1 }).to_string());

    let output = business.ahoy(&["setup", "--sip", "--yes"]).await;

    assert_eq!(output.code, Some(0), "{output:?}");
    let (secret, endpoints) = (business.secret("line").await, business.model.trunk().endpoints());
    assert_eq!(json!(endpoints[0].secrets.last()), secret["openai_webhook_secret"]);
    assert_eq!((&secret["sip_trunk_key"], &secret["more"]), (&json!("k"), &json!(1)));
}

#[tokio::test]
async fn where_the_key_may_not_the_operator_makes_the_webhook() {
    let business =
        Business::with_new_sip_line(|model| model.sip.webhooks_key = Some("sk-admin".to_owned())).await;
    let before = business.secret("line").await;
    let setup = ["setup", "--sip", "--yes"];

    let unasked = business.ahoy(&setup).await;
    let odd = business.ahoy_with(&[("OPENAI_WEBHOOK_SECRET", "no secret")], &setup).await;
    let untouched = business.secret("line").await;
    let given = business.ahoy_with(&[("OPENAI_WEBHOOK_SECRET", WEBHOOK_SECRET)], &setup).await;

    assert_eq!((unasked.code, odd.code, untouched), (Some(1), Some(1), before));
    assert!(unasked.err.contains("set OPENAI_WEBHOOK_SECRET"), "{unasked:?}");
    assert!(unasked.out.contains(&business.openai_webhook()), "{unasked:?}");
    assert_eq!(given.code, Some(0), "{given:?}");
    assert_eq!(business.secret("line").await["openai_webhook_secret"], WEBHOOK_SECRET);
    assert_eq!(business.model.trunk().endpoints(), []);
}

#[tokio::test]
async fn another_key_may_make_the_webhook() {
    let business =
        Business::with_new_sip_line(|model| model.sip.webhooks_key = Some("sk-admin".to_owned())).await;

    let output = business.ahoy_with(&[("OPENAI_SETUP_KEY", "sk-admin")], &["setup", "--sip", "--yes"]).await;

    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(business.model.trunk().endpoints().len(), 1);
}

#[tokio::test]
async fn a_webhook_whose_secret_cannot_be_stored_is_taken_back() {
    let business = Business::with_new_sip_line(|_| {}).await;
    business.cloud.faults().refuse_secrets();

    let output = business.ahoy(&["setup", "--sip", "--yes"]).await;

    assert_eq!(output.code, Some(1), "{output:?}");
    let why = "these credentials may not use the secret line: they lack secretsmanager:PutSecretValue";
    assert!(output.err.contains(why), "{output:?}");
    assert_eq!(business.model.trunk().endpoints(), [], "its secret would be lost");
}

#[tokio::test]
async fn a_rotated_secret_that_cannot_be_stored_is_to_be_rotated_again() {
    let business = Business::with_sip_line().await;
    business.cloud.faults().refuse_secrets();

    let output = business.ahoy(&["setup", "--sip", "--yes", "--rotate", "webhook-secret"]).await;

    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.err.contains("run this again with --rotate webhook-secret"), "{output:?}");
    assert!(business.model.trunk().endpoints()[0].secrets.contains(&WEBHOOK_SECRET.to_owned()));
}

#[tokio::test]
async fn without_a_line_setup_says_what_makes_one() {
    let business = Business::healthy().await;

    let output = business.ahoy(&["setup", "--sip"]).await;
    let both = business.ahoy(&["setup", "--sip", "--always"]).await;
    let alone = business.ahoy(&["setup", "--forget-old"]).await;

    assert_eq!(output.code, Some(1));
    assert!(output.err.contains("deploy with SipProject=proj_…"), "{output:?}");
    assert_eq!((both.code, alone.code), (Some(64), Some(64)));
}
