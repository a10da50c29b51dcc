//! Decides each check's finding from the gathered facts, without any request.

mod access;
mod business;
mod calling;
mod deployment;
mod sip;
mod subscriptions;

use super::check::{Check, Finding};
use super::facts::{Facts, SipState};

/// Whether a check is made: those of the SIP line only where there is one, or the one of its secret where that is unknown.
pub(crate) fn is_made(check: Check, facts: &Facts) -> bool {
    match facts.sip {
        SipState::Off => !check.is_of_sip_line(),
        SipState::Unknown(_) => !check.is_of_sip_line() || check == Check::SipSecret,
        SipState::On(_) => true,
    }
}

/// Returns a check's finding.
pub(crate) fn judge(check: Check, facts: &Facts) -> Finding {
    let (meta, now) = (&facts.meta, facts.now);
    match check {
        Check::GraphVersion => access::version(&meta.graph_url, now),
        Check::TokenValid => access::valid(meta),
        Check::TokenKind => access::kind(meta),
        Check::TokenExpiry => access::expiry(meta, now),
        Check::TokenPermissions => access::permissions(meta),
        Check::TokenAccount => access::account(meta),
        Check::AppSecret => access::secret(meta),
        Check::AppCalls => subscriptions::field(meta, "calls"),
        Check::AppMessages => subscriptions::field(meta, "messages"),
        Check::AppActive => subscriptions::active(meta),
        Check::AppWebhook => subscriptions::webhook(meta),
        Check::AccountSubscribed => subscriptions::account(meta),
        Check::AccountOtherApps => subscriptions::other_apps(meta),
        Check::AccountWebhook => subscriptions::account_webhook(meta),
        Check::NumberWebhook => subscriptions::number_webhook(meta),
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
        Check::BusinessKeys => business::keys(facts),
        Check::BusinessEvents => business::events(facts),
        Check::WebhookChallenge => deployment::challenge(&facts.webhook),
        Check::WebhookSigned => deployment::signed(&facts.webhook),
        Check::WebhookForged => deployment::forged(&facts.webhook),
        Check::ModelKey => deployment::key(&facts.model),
        Check::Model => deployment::model(&facts.model, now),
        Check::ModelSession => deployment::session(&facts.model),
        Check::SipSecret => sip::of_line(facts, sip::secret),
        Check::SipKey => sip::of_line(facts, sip::key),
        Check::SipWebhook => sip::of_line(facts, sip::webhook),
        Check::SipEndpoint => sip::of_line(facts, sip::endpoint),
        Check::SipNumber => sip::of_line(facts, |_| sip::number(&facts.deployment)),
        Check::SipReach => sip::of_line(facts, sip::reach),
    }
}

/// Formats seconds since 1970 as a UTC day.
fn day(seconds: u64) -> String {
    let at = i64::try_from(seconds).ok().and_then(|it| jiff::Timestamp::from_second(it).ok());
    at.map_or_else(|| "an unknown day".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
}

/// Returns how many days after `now` a day such as `2027-01-31` begins; negative once it has begun.
fn days_until(day: &str, now: u64) -> Option<i64> {
    let day: jiff::civil::Date = day.parse().ok()?;
    let then = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    Some((then - i64::try_from(now).ok()?).div_euclid(86_400))
}
