//! `ahoy doctor` checks the SIP line where there is one, and reports each fault by its check.

use crate::business::{Business, DoctorReport, TRUNK_KEY, WEBHOOK_SECRET};
use crate::sip_server::SipServer;
use crate::webhook_server;
use serde_json::json;

const CHECKS: [&str; 6] = ["sip-secret", "sip-key", "sip-webhook", "sip-endpoint", "sip-number", "sip-reach"];

#[tokio::test]
async fn every_check_of_a_line_that_is_set_up_passes() {
    let business = Business::with_sip_line().await;

    let found = business.doctor(&[], &[]).await;
    let output = business.ahoy(&["doctor"]).await;

    assert!(found.with_finding("fine").ends_with(&CHECKS), "{:#}", found.report);
    assert_eq!((found.code, &found.report["healthy"]), (Some(0), &json!(true)));
    assert!(output.out.ends_with("46 fine, 0 wrong, 0 unknown\n"), "{}", output.out);
    assert_eq!(business.model.trunk().complaints(), [""; 0]);
}

#[tokio::test]
async fn without_a_line_it_is_not_mentioned() {
    let business = Business::healthy().await;

    let output = business.ahoy(&["doctor"]).await;

    assert!(!output.out.contains("  sip-"), "{}", output.out);
}

#[tokio::test]
async fn a_secret_that_lacks_a_value_is_found() {
    let business = Business::with_sip_line().await;
    business.cloud.rotate_secret("unsigned", json!({ "sip_trunk_key": TRUNK_KEY }).to_string());
    business.cloud.rotate_secret("keyless", json!({ "openai_webhook_secret": WEBHOOK_SECRET }).to_string());

    let unsigned = business.doctor(&[("LINE_SECRET", "unsigned")], &[]).await;
    let closed = business.doctor(&[("LINE_SECRET", "keyless")], &[]).await;
    let open = [("LINE_SECRET", "keyless"), ("AHOY_STACK", "open"), ("TABLE", "ahoy")];
    let open = business.doctor(&open, &[]).await;
    let gone = business.doctor(&[("LINE_SECRET", "gone")], &[]).await;

    assert_eq!(of_line(&unsigned, "wrong"), ["sip-secret"]);
    assert_eq!(of_line(&unsigned, "unknown"), ["sip-webhook"], "nothing can sign a probe");
    assert_eq!((of_line(&closed, "wrong"), closed.code), (vec!["sip-secret"], Some(1)));
    assert!(says(&closed, "sip-secret").ends_with("every call is rejected with 403"));
    assert_eq!((of_line(&open, "wrong"), of_line(&open, "warning")), (vec![], vec!["sip-secret"]));
    assert!(open.check("sip-secret")["cure"].as_str().unwrap().contains("ahoy setup --sip"));
    assert_eq!(open.code, Some(0), "a warning is not wrong");
    assert_eq!(of_line(&gone, "wrong"), ["sip-secret"]);
}

#[tokio::test]
async fn a_key_without_rights_is_found() {
    let business = Business::with_sip_line().await;

    let rejected = business.doctor(&[("OPENAI_API_KEY", "another")], &[]).await;

    assert_eq!(rejected.with_finding("wrong"), ["openai-key", "sip-key"]);
    assert_eq!(rejected.check("sip-key")["code"], 401);
    assert_eq!(of_line(&rejected, "unknown"), ["sip-endpoint"]);
    assert!(says(&rejected, "sip-endpoint").contains("OPENAI_SETUP_KEY"));
}

#[tokio::test]
async fn a_webhook_that_does_not_verify_is_found() {
    let business = Business::with_sip_line().await;
    business.cloud.rotate_secret(
        "another",
        json!({ "openai_webhook_secret": "whsec_YQ==", "sip_trunk_key": "k" }).to_string(),
    );
    let unverified = webhook_server::start_unverified().await;
    let without_line = Business::healthy().await;

    let another = business.doctor(&[("LINE_SECRET", "another")], &[]).await;
    let trusting = business.doctor(&[("WEBHOOK_URL", &unverified)], &[]).await;
    let unreached = business.doctor(&[("WEBHOOK_URL", "http://127.0.0.1:1/webhook")], &[]).await;
    let not_deployed = business.doctor(&[("WEBHOOK_URL", &without_line.webhook_url)], &[]).await;

    assert_eq!(of_line(&another, "wrong"), ["sip-webhook"]);
    assert!(says(&another, "sip-webhook").contains("signed with openai_webhook_secret"));
    for (found, why) in [
        (&trusting, "accepts forged events"),
        (&unreached, "request to the webhook failed"),
        (&not_deployed, "deployed without SipProject"),
    ] {
        assert_eq!(of_line(found, "wrong"), ["sip-webhook", "sip-endpoint"], "{why}");
        assert!(says(found, "sip-webhook").contains(why), "{}", says(found, "sip-webhook"));
    }
}

#[tokio::test]
async fn an_endpoint_that_is_missing_or_not_alone_is_found() {
    let business = Business::with_sip_line().await;
    let again = sim_openai::sip::WebhookEndpoint::on_loopback(business.openai_webhook(), WEBHOOK_SECRET);

    business.model.trunk().add_endpoint(again).unwrap();
    let twice = business.doctor(&[], &[]).await;
    business.model.trunk().set_endpoints(vec![]).unwrap();
    let none = business.doctor(&[], &[]).await;

    assert_eq!((of_line(&twice, "warning"), twice.code), (vec!["sip-endpoint"], Some(0)));
    assert_eq!(of_line(&none, "wrong"), ["sip-endpoint"]);
    assert_eq!(none.check("sip-endpoint")["cure"], "ahoy setup --sip");
}

#[tokio::test]
async fn a_line_without_a_number_is_found() {
    let business = Business::with_new_sip_line(|_| {}).await;

    let found = business.doctor(&[], &[]).await;

    assert_eq!(of_line(&found, "wrong"), ["sip-secret", "sip-endpoint", "sip-number"]);
    assert!(found.check("sip-number")["cure"].as_str().unwrap().starts_with("ahoy agents push"));
}

#[tokio::test]
async fn another_server_at_the_trunks_address_is_found() {
    let business = Business::with_sip_line().await;
    let impostor = SipServer::start("sip.elsewhere.example").await;
    let address = impostor.address();

    let wrong_name = [("SIP_SERVER", &*address), ("SSL_CERT_FILE", &impostor.certificate())];
    let wrong_name = business.doctor(&wrong_name, &[]).await;
    let untrusted = business.doctor(&[("SIP_SERVER", &address)], &[]).await;
    let nowhere = business.doctor(&[("SIP_SERVER", "localhost:1")], &[]).await;
    let unnamed = business.doctor(&[("SIP_SERVER", "")], &[]).await;

    for found in [&wrong_name, &untrusted] {
        assert_eq!(of_line(found, "wrong"), ["sip-reach"]);
        assert!(says(found, "sip-reach").contains("another certificate"), "{}", says(found, "sip-reach"));
    }
    for found in [&nowhere, &unnamed] {
        assert_eq!((of_line(found, "unknown"), found.code), (vec!["sip-reach"], Some(0)));
    }
    assert!(says(&unnamed, "sip-reach").contains("name it with SIP_SERVER"), "no other server is contacted");
}

/// The checks of the line with this finding.
fn of_line<'a>(found: &'a DoctorReport, finding: &str) -> Vec<&'a str> {
    found.with_finding(finding).into_iter().filter(|name| name.starts_with("sip-")).collect()
}

fn says<'a>(found: &'a DoctorReport, check: &str) -> &'a str {
    found.check(check)["says"].as_str().unwrap()
}
