//! Checks the webhook subscriptions of the app and the account, callback overrides, and other subscribed apps.

use crate::commands::doctor::check::{Finding, judge_fetched};
use crate::meta::{Change, Facts, is_same_url};
use whatsapp::business::Subscription;

const NO_WEBHOOK_URL: &str =
    "the webhook's address cannot be read from the stack: name the stack with --stack, or set WEBHOOK_URL";
const SUBSCRIBE: &str = "run ahoy setup, or subscribe in the app's dashboard: WhatsApp, Configuration";

pub(crate) fn field(facts: &Facts, field: &str) -> Finding {
    subscribed(facts, |subscription| {
        if subscription.fields.iter().any(|it| it == field) {
            return Finding::fine("subscribed");
        }
        let says = format!("the app is not subscribed to {field}");
        Finding::wrong(0, says, SUBSCRIBE).fixed_by(Change::app(facts))
    })
}

pub(crate) fn active(facts: &Facts) -> Finding {
    subscribed(facts, |subscription| {
        if subscription.active {
            return Finding::fine("active");
        }
        Finding::wrong(0, "the app's subscription is not active", SUBSCRIBE).fixed_by(Change::app(facts))
    })
}

pub(crate) fn webhook(facts: &Facts) -> Finding {
    subscribed(facts, |subscription| {
        let Some(ours) = &facts.webhook_url else {
            return Finding::unknown(format!(
                "webhooks go to {}; {NO_WEBHOOK_URL}",
                subscription.callback_url
            ));
        };
        if is_same_url(ours, &subscription.callback_url) {
            return Finding::fine(format!("to {ours}"));
        }
        let says = format!("the app's webhooks go to {}, not to {ours}", subscription.callback_url);
        Finding::wrong(0, says, SUBSCRIBE).fixed_by(Change::app(facts))
    })
}

pub(crate) fn account(facts: &Facts) -> Finding {
    judge_fetched(&facts.apps, |_| match facts.our_app() {
        Some(app) => Finding::fine(format!("{} is subscribed to the account", app.name)),
        None => {
            let cure = "run ahoy setup, or POST to the account's subscribed_apps";
            Finding::wrong(138_018, "the app is not subscribed to the account", cure)
                .fixed_by(Change::account(facts))
        }
    })
}

/// Reports other subscribed apps as unknown: Meta sends each app every call and does not show which of them answer.
pub(crate) fn other_apps(facts: &Facts) -> Finding {
    judge_fetched(&facts.apps, |_| {
        let others: Vec<_> = facts.other_apps().iter().map(|it| format!("{} ({})", it.name, it.id)).collect();
        if others.is_empty() {
            return Finding::fine("no other app is subscribed");
        }
        let others = others.join(", ");
        Finding::unknown(format!("other apps get the same calls: make sure that they answer none: {others}"))
    })
}

pub(crate) fn account_webhook(facts: &Facts) -> Finding {
    judge_fetched(&facts.apps, |_| {
        let override_url = facts.our_app().and_then(|app| app.override_url.as_deref());
        let change = || Change::account(facts);
        judge_override(facts, override_url, "the account's", change)
    })
}

pub(crate) fn number_webhook(facts: &Facts) -> Finding {
    judge_fetched(&facts.number, |number| {
        let override_url = number.webhook_configuration.get("phone_number").map(String::as_str);
        judge_override(facts, override_url.filter(|url| !url.is_empty()), "the number's", || {
            Change::number(facts)
        })
    })
}

fn judge_override(
    facts: &Facts,
    url: Option<&str>,
    whose: &str,
    change: impl FnOnce() -> Option<Change>,
) -> Finding {
    match (url, &facts.webhook_url) {
        (None, _) => Finding::fine("no override"),
        (Some(url), Some(ours)) if is_same_url(url, ours) => Finding::fine("the override is this webhook"),
        (Some(url), None) => Finding::unknown(format!("{whose} webhooks go to {url}; {NO_WEBHOOK_URL}")),
        (Some(url), Some(_)) => {
            let says = format!("{whose} webhooks are overridden to go to {url}");
            Finding::wrong(0, says, "ahoy doctor --fix removes the override").fixed_by(change())
        }
    }
}

fn subscribed(facts: &Facts, judge: impl FnOnce(&Subscription) -> Finding) -> Finding {
    judge_fetched(&facts.subscription, |subscription| match subscription {
        Some(subscription) => judge(subscription),
        None => {
            Finding::wrong(138_018, "the app has no subscription", SUBSCRIBE).fixed_by(Change::app(facts))
        }
    })
}
