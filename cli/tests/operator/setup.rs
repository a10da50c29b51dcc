//! `ahoy setup` sets a business up for calls, asks first, and does nothing twice.

use crate::business::Business;
use serde_json::{Value, json};
use sim_meta::SetupFault;

const HOURS: [&str; 5] =
    ["--hours", "mon-fri 09:00-17:30", "--hours", "sat 10:00-12:00", "--zone=Asia/Kolkata"];

/// A business that never took a call.
async fn new_business() -> Business {
    let business = Business::healthy().await;
    for snag in [SetupFault::AppUnsubscribed, SetupFault::AccountUnsubscribed, SetupFault::CallingOff] {
        business.meta.snag(snag);
    }
    business.meta.change_books(|books| books.calling["callback_permission_status"] = json!("DISABLED"));
    business
}

#[tokio::test]
async fn a_new_business_takes_calls_afterwards_and_a_second_run_changes_nothing() {
    let business = new_business().await;

    let said = business.ahoy(&[&["setup", "--yes"], &HOURS[..]].concat()).await;
    let books = business.meta.books();
    let again = business.ahoy(&[&["setup", "--yes"], &HOURS[..]].concat()).await;
    let found = business.examined(&[], &[]).await;

    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("not subscribed") && said.out.contains("mon 0900-1730"), "{}", said.out);
    assert_eq!(books.calling["status"], "ENABLED");
    assert_eq!(books.calling["callback_permission_status"], "ENABLED");
    assert_eq!(books.calling["call_hours"]["weekly_operating_hours"].as_array().unwrap().len(), 6);
    assert_eq!((again.code, &again.out[..]), (Some(0), "Nothing to change: all is as wanted.\n"));
    assert_eq!(business.meta.books(), books);
    assert_eq!((found.code, found.that_are("unknown")), (Some(0), vec![]), "{:#}", found.told);
}

#[tokio::test]
async fn the_webhooks_address_is_read_from_the_stack() {
    let business = new_business().await;
    let named = [("WEBHOOK_URL", ""), ("AHOY_STACK", "shop"), ("TABLE", "ahoy")];
    let without = business.ahoy_with(&named, &["setup", "--yes"]).await;
    let url = business.webhook_url.strip_suffix("webhook").unwrap();
    business.cloud.put_function_elsewhere("shop-webhook", url);

    let said = business.ahoy_with(&named, &["setup", "--yes"]).await;

    assert_eq!(without.code, Some(1));
    assert!(
        without.err.contains("cannot be read from the stack: name the stack with --stack"),
        "{without:?}"
    );
    assert_eq!(said.code, Some(0), "{said:?}");
    let subscribed = business.meta.books().app.subscription.expect("the app is subscribed");
    assert_eq!(subscribed.callback_url, business.webhook_url);
}

#[tokio::test]
async fn without_a_yes_nothing_is_changed_and_all_of_it_is_shown() {
    let business = new_business().await;
    let before = business.meta.books();

    let said = business.ahoy(&["setup"]).await;

    assert_eq!((said.code, business.meta.books() == before), (Some(1), true));
    assert!(said.out.trim_start().starts_with("WHAT") && said.out.contains("ENABLED"), "{}", said.out);
    assert_eq!(said.err, "Nothing was changed. Say yes, or --yes.\n");
}

#[tokio::test]
async fn another_app_on_the_account_is_named_and_left_alone() {
    let business = new_business().await;
    business.meta.snag(SetupFault::AccountShared);

    let said = business.ahoy(&["setup", "--yes", "--json"]).await;

    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(told["other_apps"], json!(["Helpdesk (880000000000008)"]));
    assert_eq!((said.code, &told["changed"]), (Some(0), &json!(true)));
    assert!(business.meta.books().account.subscribers.iter().any(|it| it.name == "Helpdesk"));
}

#[tokio::test]
async fn an_address_that_is_taken_from_elsewhere_is_shown_with_its_app() {
    let business = Business::healthy().await;
    business.meta.snag(SetupFault::AppElsewhere);

    let said = business.ahoy(&["setup", "--json"]).await;

    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(told["changes"][0]["what"], "webhooks of the app Ahoy (990000000000009)");
    assert!(told["changes"][0]["before"].as_str().unwrap().ends_with("https://elsewhere.example/webhook"));
    assert_eq!((said.code, &told["changed"]), (Some(1), &json!(false)));
}

#[tokio::test]
async fn what_meta_refuses_is_said_with_its_code() {
    let business = new_business().await;
    business.meta.snag(SetupFault::LimitLow);

    let said = business.ahoy(&["setup", "--yes"]).await;

    assert_eq!((said.code, said.err.lines().count()), (Some(1), 1), "{said:?}");
    assert!(
        said.err.contains("the messaging limit is below 2,000 (code 138015); verify the business"),
        "{}",
        said.err
    );
}

#[tokio::test]
async fn a_webhook_that_does_not_answer_is_not_subscribed() {
    let business = new_business().await;
    let nowhere = [("WEBHOOK_URL", "http://127.0.0.1:1/webhook")];

    let said = business.ahoy_with(&nowhere, &["setup", "--yes"]).await;

    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("code 2200"), "{}", said.err);
    assert_eq!(business.meta.books().app.subscription, None);
}

#[tokio::test]
async fn hours_that_are_none_exit_with_64() {
    let business = Business::healthy().await;

    for wrong in [&["--hours", "someday"][..], &["--hours", "mon 09:00-10:00"], &["--zone", "Mars/Olympus"]] {
        assert_eq!(business.ahoy(&[&["setup"], wrong].concat()).await.code, Some(64), "{wrong:?}");
    }
}

#[tokio::test]
async fn hours_are_set_though_a_holiday_is_over() {
    let business = Business::healthy().await;
    let holiday = |date: &str| json!({ "date": date, "start_time": "0000", "end_time": "2359" });
    let hours = json!({ "status": "ENABLED", "timezone_id": "Asia/Kolkata", "weekly_operating_hours": [
        { "day_of_week": "MONDAY", "open_time": "0900", "close_time": "1000" }],
        "holiday_schedule": [holiday("2025-12-25"), holiday("2199-12-25")] });
    business.meta.change_books(|books| books.calling["call_hours"] = hours);

    let said = business.ahoy(&[&["setup", "--yes"], &HOURS[..]].concat()).await;

    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(
        business.meta.books().calling["call_hours"]["holiday_schedule"],
        json!([holiday("2199-12-25")])
    );
}

#[tokio::test]
async fn a_button_can_be_hidden_and_hours_taken_away() {
    let business = Business::healthy().await;
    business.meta.snag(SetupFault::HoursNever);

    let said = business.ahoy(&["setup", "--yes", "--always", "--icon", "hidden", "--callback", "off"]).await;

    let calling = business.meta.books().calling;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(calling["call_hours"]["status"], "DISABLED");
    assert_eq!(calling["call_hours"]["timezone_id"], "Asia/Kolkata");
    assert_eq!(calling["call_icon_visibility"], "DISABLE_ALL");
    assert_eq!(calling["callback_permission_status"], "DISABLED");
}
