//! `ahoy number show` shows the number as Meta has it.

use crate::business::{Business, NUMBER};
use serde_json::{Value, json};
use sim_meta::SetupFault;

#[tokio::test]
async fn the_number_is_shown_as_meta_has_it() {
    let business = Business::healthy().await;
    business.meta.snag(SetupFault::Restricted);

    let said = business.ahoy(&["number", "show"]).await;
    let json = business.ahoy(&["number", "show", "--json"]).await;

    let told: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((said.code, json.code), (Some(0), Some(0)));
    for wanted in [NUMBER, "TIER_2K", "Ahoy (990000000000009)", "RESTRICTED_USER_INITIATED_CALLING"] {
        assert!(said.out.contains(wanted), "{wanted} in {}", said.out);
    }
    assert_eq!(told["calling"]["status"], "ENABLED");
    assert_eq!(told["webhooks"]["application"], json!(business.webhook_url));
    assert_eq!(told["account"], "110000000000001");
}

#[tokio::test]
async fn a_number_that_cannot_be_seen_is_told_in_one_line() {
    let business = Business::healthy().await;
    business.meta.snag(SetupFault::TokenRevoked);

    let said = business.ahoy(&["number", "show"]).await;

    assert_eq!((said.code, &said.out[..], said.err.lines().count()), (Some(1), "", 1), "{said:?}");
    assert!(said.err.contains("code 190"), "{}", said.err);
}
