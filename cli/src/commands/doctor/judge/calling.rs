//! Whether users can call the number: its account, its state, its settings.

use crate::commands::doctor::check::{Finding, needed, seen};
use crate::meta::{Change, Facts, Field};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde_json::{Value, json};
use whatsapp::business::{CallHours, Calling};
use whatsapp::error::misconfiguration;

/// Fewer users, and Meta does not enable calling.
const FEWEST_USERS: u64 = 2_000;

/// What the account's health says when there is nothing to pay with, as others report it.
const PAYMENT: u32 = 141_006;

/// The messaging limit of a number that has none yet.
const NOT_SET: &str = "TIER_NOT_SET";

const MANAGER: &str = "see WhatsApp Manager";

pub fn review(facts: &Facts) -> Finding {
    seen(&facts.account, |account| match account.account_review_status.as_deref() {
        Some("APPROVED") => Finding::fine("approved"),
        Some(status) => Finding::wrong(0, format!("the account's review is {status}"), MANAGER),
        None => Finding::unknown("Meta does not say"),
    })
}

pub fn payment(facts: &Facts) -> Finding {
    seen(&facts.account, |account| {
        let mut errors = account.health_status.entities.iter().flat_map(|it| &it.errors);
        if errors.any(|error| error.error_code == PAYMENT) {
            return known(131_044);
        }
        match account.primary_funding_id {
            Some(_) => Finding::fine("there is one"),
            // Only Solution Providers are shown what an account pays with.
            None if !account.health_status.entities.is_empty() => {
                Finding::fine("Meta finds nothing wrong with it")
            }
            None => Finding::unknown(format!("Meta does not show one to us: {MANAGER}, Payment settings")),
        }
    })
}

pub fn status(facts: &Facts) -> Finding {
    needed(&facts.number, &[100], "name the number by Meta's id: --number", |number| {
        match number.status.as_deref() {
            Some("CONNECTED") => Finding::fine("connected"),
            Some(status) => {
                Finding::wrong(0, format!("the number is {status}"), format!("register it again: {MANAGER}"))
            }
            None => Finding::unknown("Meta does not say"),
        }
    })
}

pub fn platform(facts: &Facts) -> Finding {
    seen(&facts.number, |number| match number.platform_type.as_deref() {
        Some("CLOUD_API") => Finding::fine("on the Cloud API"),
        Some(other) => {
            let says = format!("the number's platform is {other}: calls come by the Cloud API only");
            Finding::wrong(0, says, "register the number with the Cloud API")
        }
        None => Finding::unknown("Meta does not say"),
    })
}

pub fn limit(facts: &Facts) -> Finding {
    seen(&facts.number, |number| {
        let Some(tier) = &number.messaging_limit else {
            return Finding::unknown("Meta does not say");
        };
        match users(tier) {
            None if tier == NOT_SET => {
                let cure = "verify the business, or send a first message: WhatsApp Manager shows when there is a limit";
                Finding::wrong(
                    138_015,
                    format!("the number has no messaging limit yet; calls need {FEWEST_USERS} users"),
                    cure,
                )
            }
            None => Finding::unknown(format!("{tier} is new to this release of ahoy")),
            Some(users) if users < FEWEST_USERS => {
                let cure = "verify the business, or send more: WhatsApp Manager shows how the limit rises";
                let says =
                    format!("the business may write to {users} users a day; calls need {FEWEST_USERS}");
                Finding::wrong(138_015, says, cure)
            }
            Some(u64::MAX) => Finding::fine("any number of users"),
            Some(users) => Finding::fine(format!("{users} users a day")),
        }
    })
}

pub fn enabled(facts: &Facts) -> Finding {
    calling(facts, |calling| match calling.status.as_deref() {
        Some("ENABLED") => Finding::fine("enabled"),
        Some(_) | None => known(138_000).fixed_by(Change::calling(facts, Field::Status, json!("ENABLED"))),
    })
}

pub fn icon(facts: &Facts) -> Finding {
    calling(facts, |calling| match calling.call_icon_visibility.as_deref() {
        None | Some("DEFAULT") => Finding::fine("users see a call button"),
        Some(other) => {
            Finding::wrong(0, format!("users see no call button ({other})"), "show it: ahoy doctor --fix")
                .fixed_by(Change::calling(facts, Field::Icon, json!("DEFAULT")))
        }
    })
}

pub fn sip(facts: &Facts) -> Finding {
    calling(facts, |calling| match calling.sip.as_ref().map(|sip| sip.status.as_str()) {
        None | Some("DISABLED") => Finding::fine("off"),
        Some(_) => {
            known(131_055).fixed_by(Change::calling(facts, Field::Sip, json!({ "status": "DISABLED" })))
        }
    })
}

pub fn keys(facts: &Facts) -> Finding {
    calling(facts, |calling| match calling.srtp_key_exchange_protocol.as_deref() {
        None | Some("DTLS") => Finding::fine("DTLS"),
        Some(other) => {
            Finding::wrong(0, format!("media are keyed by {other}, which ahoy does not speak"), "DTLS")
                .fixed_by(Change::calling(facts, Field::Keys, json!("DTLS")))
        }
    })
}

pub fn hours(facts: &Facts, now: u64) -> Finding {
    calling(facts, |calling| match calling.call_hours.as_ref().filter(|hours| hours.status == "ENABLED") {
        None => Finding::fine("always"),
        Some(hours) if hours.weekly_operating_hours.is_empty() => {
            let cure = "give hours, or none at all: ahoy setup --hours, ahoy setup --always";
            Finding::wrong(0, "there are call hours, and no day has any: nobody can ever call", cure)
        }
        Some(hours) => within(hours, now),
    })
}

pub fn restrictions(facts: &Facts) -> Finding {
    calling(facts, |calling| {
        let all = &calling.restrictions.restrictions_list;
        let inbound = all.iter().filter(|it| it.kind.contains("USER_INITIATED"));
        let inbound: Vec<_> =
            inbound.map(|it| described(&it.kind, it.reason.as_deref(), it.expiration.as_ref())).collect();
        if inbound.is_empty() {
            return Finding::fine("none for calls of users");
        }
        let cure = "answer calls soon, and close by call hours when nobody can: Meta lifts it by itself";
        Finding::wrong(138_014, inbound.join(", "), cure)
    })
}

fn calling(facts: &Facts, judge: impl FnOnce(&Calling) -> Finding) -> Finding {
    seen(&facts.calling, judge)
}

/// What Meta has a code for.
fn known(code: u32) -> Finding {
    let (cause, cure) = misconfiguration(code).expect("only codes with a cure are named here");
    Finding::wrong(code, cause, cure)
}

/// `TIER_2K` is 2,000; `TIER_UNLIMITED` is all there are.
fn users(tier: &str) -> Option<u64> {
    match tier.strip_prefix("TIER_")? {
        "UNLIMITED" => Some(u64::MAX),
        tier => match tier.strip_suffix('K') {
            Some(thousands) => thousands.parse::<u64>().ok()?.checked_mul(1_000),
            None => tier.parse().ok(),
        },
    }
}

/// Whether users can call at this moment, which is none of our business to judge.
fn within(hours: &CallHours, now: u64) -> Finding {
    let name = hours.timezone_id.clone().unwrap_or_default();
    let Ok(zone) = TimeZone::get(&name) else {
        return Finding::wrong(
            0,
            format!("there is no time zone {name:?}"),
            "set the hours anew: ahoy setup --hours",
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
    Finding::fine(format!("hours are set in {name}; {now} now, holidays aside"))
}

fn described(kind: &str, reason: Option<&str>, until: Option<&Value>) -> String {
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
    fn tiers_are_numbers_of_users() {
        let all = ["TIER_250", "TIER_2K", "TIER_UNLIMITED", "TIER_MANY", "2K"].map(users);

        assert_eq!(all, [Some(250), Some(2_000), Some(u64::MAX), None, None]);
    }

    #[test]
    fn hours_are_those_of_the_numbers_own_day() {
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
        let says = |zone| match within(&hours(zone), 1_795_305_600) {
            Finding::Fine(says) => says,
            other => panic!("{other:?}"),
        };

        assert!(says("Asia/Kolkata").contains("open now"));
        assert!(says("UTC").contains("closed now"));
        assert!(matches!(within(&hours("Mars/Olympus"), 0), Finding::Wrong(_)));
    }
}
