//! Decides what comes of each check, from what was seen. Asks nobody.

mod access;
mod calling;
mod deployment;
mod told;

use super::check::{Check, Finding};
use super::facts::Facts;

/// What comes of a check.
pub fn judge(check: Check, facts: &Facts) -> Finding {
    let (meta, now) = (&facts.meta, facts.now);
    match check {
        Check::GraphVersion => access::version(&meta.graph_url, now),
        Check::TokenValid => access::valid(meta),
        Check::TokenKind => access::kind(meta),
        Check::TokenExpiry => access::expiry(meta, now),
        Check::TokenPermissions => access::permissions(meta),
        Check::TokenAccount => access::account(meta),
        Check::AppSecret => access::secret(meta),
        Check::AppCalls => told::field(meta, "calls"),
        Check::AppMessages => told::field(meta, "messages"),
        Check::AppActive => told::active(meta),
        Check::AppWebhook => told::webhook(meta),
        Check::AccountSubscribed => told::account(meta),
        Check::AccountOtherApps => told::other_apps(meta),
        Check::AccountWebhook => told::account_webhook(meta),
        Check::NumberWebhook => told::number_webhook(meta),
        Check::AccountReview => calling::review(meta),
        Check::AccountPayment => calling::payment(meta),
        Check::NumberStatus => calling::status(meta),
        Check::NumberPlatform => calling::platform(meta),
        Check::NumberLimit => calling::limit(meta),
        Check::CallingEnabled => calling::enabled(meta),
        Check::CallingIcon => calling::icon(meta),
        Check::CallingSip => calling::sip(meta),
        Check::CallingKeys => calling::keys(meta),
        Check::CallingHours => calling::hours(meta, now),
        Check::CallingRestrictions => calling::restrictions(meta),
        Check::NumberAgent => deployment::agent(facts),
        Check::MetaSecret => {
            deployment::secret(&facts.deployment.meta_secret, "access_token, app_secret, verify_token")
        }
        Check::MediaSecret => deployment::secret(&facts.deployment.media_secret, "door_key, openai_api_key"),
        Check::Table => deployment::table(facts),
        Check::WarmTasks => deployment::tasks(facts),
        Check::Concurrency => deployment::concurrency(facts),
        Check::WebhookChallenge => deployment::challenge(&facts.webhook),
        Check::WebhookSigned => deployment::signed(&facts.webhook),
        Check::WebhookForged => deployment::forged(&facts.webhook),
        Check::ModelKey => deployment::key(&facts.model),
        Check::Model => deployment::model(&facts.model, now),
        Check::ModelSession => deployment::session(&facts.model),
    }
}

/// A day in UTC, of seconds since 1970.
fn day(seconds: u64) -> String {
    let at = i64::try_from(seconds).ok().and_then(|it| jiff::Timestamp::from_second(it).ok());
    at.map_or_else(|| "an unknown day".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
}

/// So many days from now a day like `2027-01-31` is; below zero once it is over.
fn days_until(day: &str, now: u64) -> Option<i64> {
    let day: jiff::civil::Date = day.parse().ok()?;
    let then = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    Some((then - i64::try_from(now).ok()?).div_euclid(86_400))
}
