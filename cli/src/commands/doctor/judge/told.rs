//! Whether Meta tells us of calls, and us alone: the app's subscription, the account's, and where webhooks go.

use crate::commands::doctor::check::{Finding, seen};
use crate::meta::{Change, Facts, is_same};
use whatsapp::business::Subscription;

const NOWHERE: &str =
    "the webhook's address cannot be read from the stack: name the stack with --stack, or set WEBHOOK_URL";
const SUBSCRIBE: &str = "run ahoy setup, or subscribe in the app's dashboard: WhatsApp, Configuration";

pub fn field(facts: &Facts, field: &str) -> Finding {
    subscribed(facts, |subscription| {
        if subscription.fields.iter().any(|it| it == field) {
            return Finding::fine("subscribed");
        }
        let says = format!("the app is not subscribed to {field}");
        Finding::wrong(0, says, SUBSCRIBE).fixed_by(Change::app(facts))
    })
}

pub fn active(facts: &Facts) -> Finding {
    subscribed(facts, |subscription| {
        if subscription.active {
            return Finding::fine("Meta tells the app");
        }
        Finding::wrong(0, "the app's subscription is not active", SUBSCRIBE).fixed_by(Change::app(facts))
    })
}

pub fn webhook(facts: &Facts) -> Finding {
    subscribed(facts, |subscription| {
        let Some(ours) = &facts.webhook_url else {
            return Finding::unknown(format!("webhooks go to {}; {NOWHERE}", subscription.callback_url));
        };
        if is_same(ours, &subscription.callback_url) {
            return Finding::fine(format!("to {ours}"));
        }
        let says = format!("the app's webhooks go to {}, and not to {ours}", subscription.callback_url);
        Finding::wrong(0, says, SUBSCRIBE).fixed_by(Change::app(facts))
    })
}

pub fn account(facts: &Facts) -> Finding {
    seen(&facts.apps, |_| match facts.our_app() {
        Some(app) => Finding::fine(format!("{} is told of the account", app.name)),
        None => {
            let cure = "run ahoy setup, or POST subscribed_apps of the account";
            Finding::wrong(138_018, "the app is not told of the account", cure)
                .fixed_by(Change::account(facts))
        }
    })
}

/// Meta tells each app of every call and does not say which of them answer.
pub fn other_apps(facts: &Facts) -> Finding {
    seen(&facts.apps, |_| {
        let others: Vec<_> = facts.other_apps().iter().map(|it| format!("{} ({})", it.name, it.id)).collect();
        if others.is_empty() {
            return Finding::fine("nobody else is told");
        }
        let others = others.join(", ");
        Finding::unknown(format!("{others} is told of the same calls: see that it answers none"))
    })
}

pub fn account_webhook(facts: &Facts) -> Finding {
    seen(&facts.apps, |_| {
        let elsewhere = facts.our_app().and_then(|app| app.override_url.as_deref());
        let change = || Change::account(facts);
        overridden(facts, elsewhere, "the account's", change)
    })
}

pub fn number_webhook(facts: &Facts) -> Finding {
    seen(&facts.number, |number| {
        let elsewhere = number.webhook_configuration.get("phone_number").map(String::as_str);
        overridden(facts, elsewhere.filter(|url| !url.is_empty()), "the number's", || Change::number(facts))
    })
}

fn overridden(
    facts: &Facts,
    url: Option<&str>,
    whose: &str,
    change: impl FnOnce() -> Option<Change>,
) -> Finding {
    match (url, &facts.webhook_url) {
        (None, _) => Finding::fine("no address of its own"),
        (Some(url), Some(ours)) if is_same(url, ours) => Finding::fine("its own address is ours"),
        (Some(url), None) => Finding::unknown(format!("{whose} webhooks go to {url}; {NOWHERE}")),
        (Some(url), Some(_)) => {
            let says = format!("{whose} webhooks go to {url}, whatever the app says");
            Finding::wrong(0, says, "take the override away: ahoy doctor --fix").fixed_by(change())
        }
    }
}

fn subscribed(facts: &Facts, judge: impl FnOnce(&Subscription) -> Finding) -> Finding {
    seen(&facts.subscription, |subscription| match subscription {
        Some(subscription) => judge(subscription),
        None => {
            Finding::wrong(138_018, "the app has no subscription", SUBSCRIBE).fixed_by(Change::app(facts))
        }
    })
}
