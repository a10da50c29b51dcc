//! `ahoy number show` prints the number's settings at Meta.

use crate::business::{Business, NUMBER};
use serde_json::{Value, json};
use sim_meta::SetupFault;

#[tokio::test]
async fn the_numbers_settings_are_printed() {
    let business = Business::healthy().await;
    business.meta.inject_setup_fault(SetupFault::Restricted);

    let output = business.ahoy(&["number", "show"]).await;
    let json = business.ahoy(&["number", "show", "--json"]).await;

    let report: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((output.code, json.code), (Some(0), Some(0)));
    for wanted in [NUMBER, "TIER_2K", "Ahoy (990000000000009)", "RESTRICTED_USER_INITIATED_CALLING"] {
        assert!(output.out.contains(wanted), "{wanted} in {}", output.out);
    }
    assert_eq!(report["calling"]["status"], "ENABLED");
    assert_eq!(report["webhooks"]["application"], json!(business.webhook_url));
    assert_eq!(report["account"], "110000000000001");
}

#[tokio::test]
async fn a_number_that_cannot_be_fetched_is_one_line() {
    let business = Business::healthy().await;
    business.meta.inject_setup_fault(SetupFault::TokenRevoked);

    let output = business.ahoy(&["number", "show"]).await;

    assert_eq!((output.code, &output.out[..], output.err.lines().count()), (Some(1), "", 1), "{output:?}");
    assert!(output.err.contains("code 190"), "{}", output.err);
}
