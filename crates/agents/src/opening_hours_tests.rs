//! Opening hours across midnight, closed days, time zones and mistakes.

use super::*;

fn hours(toml: &str) -> OpeningHours {
    toml::from_str::<HoursToml>(toml).unwrap().resolve().unwrap()
}

fn fault(toml: &str) -> String {
    let fault = toml::from_str::<HoursToml>(toml).unwrap().resolve().unwrap_err();
    format!("{} {}", fault.field, fault.reason)
}

fn ms(moment: &str) -> u64 {
    u64::try_from(moment.parse::<Timestamp>().unwrap().as_millisecond()).unwrap()
}

/// 2026-11-23 is a Monday.
const SHOP: &str = r#"zone = "Africa/Kigali"
monday = ["09:00-12:30", "13:30-18:00"]
friday = ["22:00-02:00"]
closed_on = ["2026-11-30"]"#;

#[test]
fn a_period_includes_its_first_minute_and_not_its_last() {
    let shop = hours(SHOP);
    let kigali = |time: &str| shop.is_open(ms(&format!("2026-11-23T{time}+02:00")));
    assert!(kigali("09:00:00") && kigali("12:29:59") && kigali("13:30:00"));
    assert!(!kigali("08:59:59") && !kigali("12:30:00") && !kigali("18:00:00"));
}

#[test]
fn a_period_continues_past_midnight() {
    let shop = hours(SHOP);
    assert!(shop.is_open(ms("2026-11-27T22:00:00+02:00")) && shop.is_open(ms("2026-11-28T01:59:00+02:00")));
    assert!(!shop.is_open(ms("2026-11-28T02:00:00+02:00")) && !shop.is_open(ms("2026-11-27T01:00:00+02:00")));
}

#[test]
fn a_period_begins_on_no_closed_day_but_may_end_on_one() {
    assert!(!hours(SHOP).is_open(ms("2026-11-30T10:00:00+02:00")));
    let bar = hours("zone = \"Europe/Paris\"\nfriday = [\"20:00-03:00\"]\nclosed_on = [\"2026-11-28\"]");
    assert!(bar.is_open(ms("2026-11-28T02:00:00+01:00")));
}

#[test]
fn hours_follow_daylight_saving_time() {
    let shop = hours("zone = \"Europe/Lisbon\"\nmonday = [\"09:00-18:00\"]");
    assert!(shop.is_open(ms("2026-07-06T08:00:00Z")) && !shop.is_open(ms("2026-07-06T07:59:00Z")));
    assert!(shop.is_open(ms("2026-11-23T09:00:00Z")) && !shop.is_open(ms("2026-11-23T08:59:00Z")));
}

#[test]
fn a_whole_day_is_midnight_to_midnight() {
    let always = hours("zone = \"UTC\"\nmonday = [\"00:00-24:00\"]");
    assert!(always.is_open(ms("2026-11-23T00:00:00Z")) && always.is_open(ms("2026-11-23T23:59:59Z")));
    assert!(!always.is_open(ms("2026-11-24T00:00:00Z")));
}

#[test]
fn the_day_is_that_of_the_time_zone() {
    let late = ms("2026-11-23T22:30:00Z");
    assert_eq!((day(Some(&hours(SHOP)), late), day(None, late)), ("2026-11-24".into(), "2026-11-23".into()));
}

#[test]
fn any_timestamp_is_accepted() {
    for moment in [0, 1, u64::MAX] {
        hours(SHOP).is_open(moment);
        day(Some(&hours(SHOP)), moment);
    }
}

#[test]
fn invalid_hours_are_refused() {
    let day = |periods: &str| fault(&format!("zone = \"UTC\"\nmonday = {periods}"));
    assert!(day(r#"["09:00-12:00", "11:00-13:00"]"#).contains("monday[1] overlaps"));
    assert!(day(r#"["13:00-18:00", "09:00-12:00"]"#).contains("monday[1] begins before"));
    assert!(day(r#"["09:00-09:00"]"#).contains("monday[0]") && day(r#"["9-17"]"#).contains("monday[0]"));
    assert!(day(r#"["09:00-24:30"]"#).contains("monday[0]") && day("[]").starts_with("hours has no hours"));
    assert!(day(r#"["18:00-12:00"]"#).contains("ends before it begins"));
    assert!(day(r#"["24:00-24:00"]"#).contains("is empty"));
    let week = "zone = \"UTC\"\nmonday = [\"00:30-05:00\"]\nsunday = [\"20:00-01:00\"]";
    assert!(fault(week).contains("hours.monday[0] overlaps the end of sunday"));
    let date = "zone = \"UTC\"\nmonday = [\"09:00-10:00\"]\nclosed_on = [\"2026-02-30\"]";
    assert!(fault(date).contains("closed_on[0]"));
}
