//! Checks whether users can call the number: account, number status and calling settings.

use crate::commands::doctor::check::{Finding, judge_fetched, judge_required};
use crate::meta::{Change, Facts, Field};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde_json::{Value, json};
use whatsapp::business::{CallHours, Calling};
use whatsapp::error::misconfiguration;

/// The messaging limit below which Meta does not enable calling, in users a day.
const MIN_MESSAGING_LIMIT: u64 = 2_000;

/// The error in the account's health status when it has no payment method, according to public reports.
const PAYMENT: u32 = 141_006;

/// Meta's value for a number without a messaging limit yet.
const NOT_SET: &str = "TIER_NOT_SET";

const MANAGER: &str = "see WhatsApp Manager";

pub(crate) fn review(facts: &Facts) -> Finding {
    judge_fetched(&facts.account, |account| match account.account_review_status.as_deref() {
        Some("APPROVED") => Finding::fine("approved"),
        Some(status) => Finding::wrong(0, format!("the account's review is {status}"), MANAGER),
        None => Finding::unknown("Meta returns no value"),
    })
}

pub(crate) fn payment(facts: &Facts) -> Finding {
    judge_fetched(&facts.account, |account| {
        let mut errors = account.health_status.entities.iter().flat_map(|it| &it.errors);
        if errors.any(|error| error.error_code == PAYMENT) {
            return wrong_with_code(131_044);
        }
        match account.primary_funding_id {
            Some(_) => Finding::fine("there is a payment method"),
            // Meta shows an account's payment method to Solution Providers only.
            None if !account.health_status.entities.is_empty() => {
                Finding::fine("Meta reports no payment error")
            }
            None => Finding::unknown(format!(
                "Meta does not show the payment method: {MANAGER}, Payment settings"
            )),
        }
    })
}

pub(crate) fn status(facts: &Facts) -> Finding {
    judge_required(
        &facts.number,
        &[100],
        "name the number with --number, by Meta's phone number id",
        |number| match number.status.as_deref() {
            Some("CONNECTED") => Finding::fine("connected"),
            Some(status) => {
                Finding::wrong(0, format!("the number is {status}"), format!("register it again: {MANAGER}"))
            }
            None => Finding::unknown("Meta returns no value"),
        },
    )
}

pub(crate) fn platform(facts: &Facts) -> Finding {
    judge_fetched(&facts.number, |number| match number.platform_type.as_deref() {
        Some("CLOUD_API") => Finding::fine("on the Cloud API"),
        Some(other) => {
            let says = format!("the number's platform is {other}: only Cloud API numbers can take calls");
            Finding::wrong(0, says, "register the number with the Cloud API")
        }
        None => Finding::unknown("Meta returns no value"),
    })
}

pub(crate) fn limit(facts: &Facts) -> Finding {
    judge_fetched(&facts.number, |number| {
        let Some(tier) = &number.messaging_limit else {
            return Finding::unknown("Meta returns no value");
        };
        match users(tier) {
            None if tier == NOT_SET => {
                let cure = "verify the business, or send a first message; WhatsApp Manager shows the limit once there is one";
                Finding::wrong(
                    138_015,
                    format!(
                        "the number has no messaging limit yet; calling needs {MIN_MESSAGING_LIMIT} users a day"
                    ),
                    cure,
                )
            }
            None => Finding::unknown(format!("this release of ahoy does not know the limit {tier}")),
            Some(users) if users < MIN_MESSAGING_LIMIT => {
                let cure =
                    "verify the business, or send more messages; WhatsApp Manager shows how the limit rises";
                let says = format!(
                    "the messaging limit is {users} users a day; calling needs {MIN_MESSAGING_LIMIT}"
                );
                Finding::wrong(138_015, says, cure)
            }
            Some(u64::MAX) => Finding::fine("unlimited"),
            Some(users) => Finding::fine(format!("{users} users a day")),
        }
    })
}

pub(crate) fn enabled(facts: &Facts) -> Finding {
    calling(facts, |calling| match calling.status.as_deref() {
        Some("ENABLED") => Finding::fine("enabled"),
        Some(_) | None => {
            wrong_with_code(138_000).fixed_by(Change::calling(facts, Field::Status, json!("ENABLED")))
        }
    })
}

pub(crate) fn icon(facts: &Facts) -> Finding {
    calling(facts, |calling| match calling.call_icon_visibility.as_deref() {
        None | Some("DEFAULT") => Finding::fine("users see a call button"),
        Some(other) => {
            Finding::wrong(0, format!("users see no call button ({other})"), "ahoy doctor --fix shows it")
                .fixed_by(Change::calling(facts, Field::Icon, json!("DEFAULT")))
        }
    })
}

pub(crate) fn sip(facts: &Facts) -> Finding {
    calling(facts, |calling| match calling.sip.as_ref().map(|sip| sip.status.as_str()) {
        None | Some("DISABLED") => Finding::fine("off"),
        Some(_) => wrong_with_code(131_055).fixed_by(Change::calling(
            facts,
            Field::Sip,
            json!({ "status": "DISABLED" }),
        )),
    })
}

pub(crate) fn keys(facts: &Facts) -> Finding {
    calling(facts, |calling| match calling.srtp_key_exchange_protocol.as_deref() {
        None | Some("DTLS") => Finding::fine("DTLS"),
        Some(other) => Finding::wrong(
            0,
            format!("SRTP keys are exchanged by {other}; ahoy supports DTLS only"),
            "ahoy doctor --fix sets DTLS",
        )
        .fixed_by(Change::calling(facts, Field::Keys, json!("DTLS"))),
    })
}

pub(crate) fn hours(facts: &Facts, now: u64) -> Finding {
    calling(facts, |calling| match calling.call_hours.as_ref().filter(|hours| hours.status == "ENABLED") {
        None => Finding::fine("always"),
        Some(hours) if hours.weekly_operating_hours.is_empty() => {
            let cure = "set hours with ahoy setup --hours, or remove them with ahoy setup --always";
            Finding::wrong(0, "call hours are enabled without any hours: users can never call", cure)
        }
        Some(hours) => hours_now(hours, now),
    })
}

pub(crate) fn restrictions(facts: &Facts) -> Finding {
    calling(facts, |calling| {
        let all = &calling.restrictions.restrictions_list;
        let inbound = all.iter().filter(|it| it.kind.contains("USER_INITIATED"));
        let inbound: Vec<_> = inbound
            .map(|it| describe_restriction(&it.kind, it.reason.as_deref(), it.expiration.as_ref()))
            .collect();
        if inbound.is_empty() {
            return Finding::fine("none on calls from users");
        }
        let cure = "answer calls quickly, and set call hours for the times when none can be answered; Meta lifts the restriction by itself";
        Finding::wrong(138_014, inbound.join(", "), cure)
    })
}

fn calling(facts: &Facts, judge: impl FnOnce(&Calling) -> Finding) -> Finding {
    judge_fetched(&facts.calling, judge)
}

/// Returns the finding for one of Meta's error codes.
fn wrong_with_code(code: u32) -> Finding {
    let (cause, cure) = misconfiguration(code).expect("only codes with a known cure are passed here");
    Finding::wrong(code, cause, cure)
}

/// Parses a messaging limit: `TIER_2K` is 2,000 users a day, `TIER_UNLIMITED` is `u64::MAX`.
fn users(tier: &str) -> Option<u64> {
    match tier.strip_prefix("TIER_")? {
        "UNLIMITED" => Some(u64::MAX),
        tier => match tier.strip_suffix('K') {
            Some(thousands) => thousands.parse::<u64>().ok()?.checked_mul(1_000),
            None => tier.parse().ok(),
        },
    }
}

/// Says whether the hours are open now. Closed is fine, too: the operator chose the hours.
fn hours_now(hours: &CallHours, now: u64) -> Finding {
    let name = hours.timezone_id.clone().unwrap_or_default();
    let Ok(zone) = TimeZone::get(&name) else {
        return Finding::wrong(
            0,
            format!("there is no time zone {name:?}"),
            "set the hours again: ahoy setup --hours",
        );
    };
    let now =
        i64::try_from(now).ok().and_then(|it| Timestamp::from_second(it).ok()).unwrap_or(Timestamp::MAX);
    let now: Zoned = now.to_zoned(zone);
    let (day, time) = (now.strftime("%A").to_string().to_uppercase(), now.strftime("%H%M").to_string());
    let is_open = hours
        .weekly_operating_hours
        .iter()
        .any(|it| it.day_of_week == day && it.open_time <= time && time < it.close_time);
    let now = if is_open { "open" } else { "closed" };
    Finding::fine(format!("hours are set in {name}; {now} now, not counting holidays"))
}

fn describe_restriction(kind: &str, reason: Option<&str>, until: Option<&Value>) -> String {
    let reason = reason.map(|reason| format!(" for {reason}")).unwrap_or_default();
    let until = match until {
        None | Some(Value::Null) => String::new(),
        Some(until) => match until.as_u64() {
            Some(seconds) => format!(" until {}", super::day(seconds)),
            None => format!(" until {}", until.to_string().trim_matches('"')),
        },
    };
    format!("{kind}{reason}{until}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use whatsapp::business::Opening;

    #[test]
    fn messaging_limits_are_parsed() {
        let all = ["TIER_250", "TIER_2K", "TIER_UNLIMITED", "TIER_MANY", "2K"].map(users);

        assert_eq!(all, [Some(250), Some(2_000), Some(u64::MAX), None, None]);
    }

    #[test]
    fn hours_are_judged_in_their_own_time_zone() {
        let opening = |open: &str, close: &str| Opening {
            day_of_week: "SUNDAY".to_owned(),
            open_time: open.to_owned(),
            close_time: close.to_owned(),
        };
        let hours = |zone: &str| CallHours {
            status: "ENABLED".to_owned(),
            timezone_id: Some(zone.to_owned()),
            weekly_operating_hours: vec![opening("0500", "0600"), opening("0900", "1000")],
            holiday_schedule: vec![],
        };
        // Sunday 2026-11-22, 00:00 in UTC, 05:30 in Kolkata.
        let says = |zone| match hours_now(&hours(zone), 1_795_305_600) {
            Finding::Fine(says) => says,
            other => panic!("{other:?}"),
        };

        assert!(says("Asia/Kolkata").contains("open now"));
        assert!(says("UTC").contains("closed now"));
        assert!(matches!(hours_now(&hours("Mars/Olympus"), 0), Finding::Wrong(_)));
    }
}
