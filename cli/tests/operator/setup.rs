//! `ahoy setup` sets a business up for calls, asks first, and changes nothing on a second run.

use crate::business::Business;
use serde_json::{Value, json};
use sim_meta::SetupFault;

const HOURS: [&str; 5] =
    ["--hours", "mon-fri 09:00-17:30", "--hours", "sat 10:00-12:00", "--zone=Asia/Kolkata"];

/// Returns a business that is not set up for calls yet.
async fn new_business() -> Business {
    let business = Business::healthy().await;
    for fault in [SetupFault::AppUnsubscribed, SetupFault::AccountUnsubscribed, SetupFault::CallingOff] {
        business.meta.inject_setup_fault(fault);
    }
    business.meta.change_records(|records| records.calling["callback_permission_status"] = json!("DISABLED"));
    business
}

#[tokio::test]
async fn setup_enables_calls_and_a_second_run_changes_nothing() {
    let business = new_business().await;

    let output = business.ahoy(&[&["setup", "--yes"], &HOURS[..]].concat()).await;
    let records = business.meta.records();
    let again = business.ahoy(&[&["setup", "--yes"], &HOURS[..]].concat()).await;
    let found = business.doctor(&[], &[]).await;

    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.out.contains("not subscribed") && output.out.contains("mon 0900-1730"), "{}", output.out);
    assert_eq!(records.calling["status"], "ENABLED");
    assert_eq!(records.calling["callback_permission_status"], "ENABLED");
    assert_eq!(records.calling["call_hours"]["weekly_operating_hours"].as_array().unwrap().len(), 6);
    assert_eq!((again.code, &again.out[..]), (Some(0), "Nothing to change.\n"));
    assert_eq!(business.meta.records(), records);
    assert_eq!((found.code, found.with_finding("unknown")), (Some(0), vec![]), "{:#}", found.report);
}

#[tokio::test]
async fn the_webhooks_address_is_read_from_the_stack() {
    let business = new_business().await;
    let named = [("WEBHOOK_URL", ""), ("AHOY_STACK", "shop"), ("TABLE", "ahoy")];
    let without = business.ahoy_with(&named, &["setup", "--yes"]).await;
    let url = business.webhook_url.strip_suffix("webhook").unwrap();
    business.cloud.put_function_elsewhere("shop-webhook", url);

    let output = business.ahoy_with(&named, &["setup", "--yes"]).await;

    assert_eq!(without.code, Some(1));
    assert!(
        without.err.contains("cannot be read from the stack: name the stack with --stack"),
        "{without:?}"
    );
    assert_eq!(output.code, Some(0), "{output:?}");
    let subscribed = business.meta.records().app.subscription.expect("the app is subscribed");
    assert_eq!(subscribed.callback_url, business.webhook_url);
}

#[tokio::test]
async fn without_a_yes_changes_are_printed_and_not_made() {
    let business = new_business().await;
    let before = business.meta.records();

    let output = business.ahoy(&["setup"]).await;

    assert_eq!((output.code, business.meta.records() == before), (Some(1), true));
    assert!(output.out.trim_start().starts_with("WHAT") && output.out.contains("ENABLED"), "{}", output.out);
    assert_eq!(output.err, "Nothing was changed. Answer yes, or use --yes.\n");
}

#[tokio::test]
async fn another_app_on_the_account_is_named_and_left_alone() {
    let business = new_business().await;
    business.meta.inject_setup_fault(SetupFault::AccountShared);

    let output = business.ahoy(&["setup", "--yes", "--json"]).await;

    let report: Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!(report["other_apps"], json!(["Helpdesk (880000000000008)"]));
    assert_eq!((output.code, &report["changed"]), (Some(0), &json!(true)));
    assert!(business.meta.records().account.subscribers.iter().any(|it| it.name == "Helpdesk"));
}

#[tokio::test]
async fn a_callback_url_that_is_replaced_is_printed_with_its_app() {
    let business = Business::healthy().await;
    business.meta.inject_setup_fault(SetupFault::AppElsewhere);

    let output = business.ahoy(&["setup", "--json"]).await;

    let report: Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!(report["changes"][0]["what"], "webhooks of the app Ahoy (990000000000009)");
    assert!(report["changes"][0]["before"].as_str().unwrap().ends_with("https://elsewhere.example/webhook"));
    assert_eq!((output.code, &report["changed"]), (Some(1), &json!(false)));
}

#[tokio::test]
async fn metas_refusal_is_printed_with_its_code() {
    let business = new_business().await;
    business.meta.inject_setup_fault(SetupFault::LimitLow);

    let output = business.ahoy(&["setup", "--yes"]).await;

    assert_eq!((output.code, output.err.lines().count()), (Some(1), 1), "{output:?}");
    assert!(
        output.err.contains("the messaging limit is below 2,000 (code 138015); verify the business"),
        "{}",
        output.err
    );
}

#[tokio::test]
async fn a_webhook_that_does_not_answer_is_not_subscribed() {
    let business = new_business().await;
    let nowhere = [("WEBHOOK_URL", "http://127.0.0.1:1/webhook")];

    let output = business.ahoy_with(&nowhere, &["setup", "--yes"]).await;

    assert_eq!(output.code, Some(1));
    assert!(output.err.contains("code 2200"), "{}", output.err);
    assert_eq!(business.meta.records().app.subscription, None);
}

#[tokio::test]
async fn invalid_hours_exit_with_64() {
    let business = Business::healthy().await;

    for wrong in [&["--hours", "someday"][..], &["--hours", "mon 09:00-10:00"], &["--zone", "Mars/Olympus"]] {
        assert_eq!(business.ahoy(&[&["setup"], wrong].concat()).await.code, Some(64), "{wrong:?}");
    }
}

#[tokio::test]
async fn past_holidays_do_not_keep_hours_from_being_set() {
    let business = Business::healthy().await;
    let holiday = |date: &str| json!({ "date": date, "start_time": "0000", "end_time": "2359" });
    let hours = json!({ "status": "ENABLED", "timezone_id": "Asia/Kolkata", "weekly_operating_hours": [
        { "day_of_week": "MONDAY", "open_time": "0900", "close_time": "1000" }],
        "holiday_schedule": [holiday("2025-12-25"), holiday("2199-12-25")] });
    business.meta.change_records(|records| records.calling["call_hours"] = hours);

    let output = business.ahoy(&[&["setup", "--yes"], &HOURS[..]].concat()).await;

    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(
        business.meta.records().calling["call_hours"]["holiday_schedule"],
        json!([holiday("2199-12-25")])
    );
}

#[tokio::test]
async fn the_button_can_be_hidden_and_hours_removed() {
    let business = Business::healthy().await;
    business.meta.inject_setup_fault(SetupFault::HoursNever);

    let output =
        business.ahoy(&["setup", "--yes", "--always", "--icon", "hidden", "--callback", "off"]).await;

    let calling = business.meta.records().calling;
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(calling["call_hours"]["status"], "DISABLED");
    assert_eq!(calling["call_hours"]["timezone_id"], "Asia/Kolkata");
    assert_eq!(calling["call_icon_visibility"], "DISABLE_ALL");
    assert_eq!(calling["callback_permission_status"], "DISABLED");
}
