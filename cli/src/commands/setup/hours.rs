//! Parses call hours such as `mon-fri 09:00-17:30`, and writes them as Meta's API takes them.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use whatsapp::business::{CallHours, Opening};

const WEEK: [&str; 7] = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];

/// The most opening hours that Meta accepts for a day.
const MAX_PER_DAY: usize = 2;

/// Equal opening hours on one or several days of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpeningHours(Vec<Opening>);

/// Parses a day or a range of days, followed by a range of times.
///
/// # Errors
/// When the text has another form, or the times end before they begin.
pub(crate) fn opening_hours(text: &str) -> Result<OpeningHours, String> {
    let wrong = || format!("{text:?} does not have the form `mon-fri 09:00-17:30`");
    let (days, times) = text.trim().split_once(' ').ok_or_else(wrong)?;
    let (first, last) = days.split_once('-').unwrap_or((days, days));
    let (first, last) = (day(first).ok_or_else(wrong)?, day(last).ok_or_else(wrong)?);
    let (open, close) = times.trim().split_once('-').ok_or_else(wrong)?;
    let (open, close) = (time(open).ok_or_else(wrong)?, time(close).ok_or_else(wrong)?);
    if open >= close {
        return Err(format!("{text:?} ends before it begins: at Meta, hours cannot go past midnight"));
    }
    let length = (last + 7 - first) % 7 + 1;
    let opening = |day: usize| Opening {
        day_of_week: WEEK[day % 7].to_owned(),
        open_time: open.clone(),
        close_time: close.clone(),
    };
    Ok(OpeningHours((first..first + length).map(opening).collect()))
}

/// Returns call hours for Meta's API. The holidays at Meta are kept, except past ones, which Meta refuses.
///
/// # Errors
/// When a day has more opening hours than Meta accepts.
pub(crate) fn weekly(
    hours: &[OpeningHours],
    zone: &str,
    before: Option<&CallHours>,
    now: Timestamp,
) -> Result<Value, String> {
    let mut openings: Vec<Opening> = hours.iter().flat_map(|it| it.0.clone()).collect();
    openings.sort();
    if let Some(day) =
        WEEK.iter().find(|day| openings.iter().filter(|it| it.day_of_week == **day).count() > MAX_PER_DAY)
    {
        return Err(format!("{day} has more than {MAX_PER_DAY} opening hours, the most that Meta accepts"));
    }
    let holidays = before.map(|hours| future_holidays(hours, Some(zone), now)).unwrap_or_default();
    Ok(json!({ "status": "ENABLED", "timezone_id": zone,
        "weekly_operating_hours": openings, "holiday_schedule": holidays }))
}

/// Returns disabled call hours for Meta's API, which needs a zone and hours even then: those before are kept, else the whole week is sent.
pub(crate) fn always(zone: Option<&str>, before: Option<&CallHours>, now: Timestamp) -> Value {
    let zone = zone.or_else(|| before?.timezone_id.as_deref()).unwrap_or("UTC");
    let openings = before.map(|hours| hours.weekly_operating_hours.clone()).filter(|hours| !hours.is_empty());
    let all_day = |day: &&str| Opening {
        day_of_week: (*day).to_owned(),
        open_time: "0000".to_owned(),
        close_time: "2359".to_owned(),
    };
    let openings = openings.unwrap_or_else(|| WEEK.iter().map(all_day).collect());
    let holidays = before.map(|hours| future_holidays(hours, Some(zone), now)).unwrap_or_default();
    json!({ "status": "DISABLED", "timezone_id": zone,
        "weekly_operating_hours": openings, "holiday_schedule": holidays })
}

/// Returns the holidays that are not past in `zone`, else in the hours' own zone. A holiday with an unreadable date is kept.
fn future_holidays(hours: &CallHours, zone: Option<&str>, now: Timestamp) -> Vec<Value> {
    let zone = zone.or(hours.timezone_id.as_deref()).and_then(|zone| TimeZone::get(zone).ok());
    let today = now.to_zoned(zone.unwrap_or(TimeZone::UTC)).date();
    let is_future = |holiday: &&Value| {
        let date = holiday["date"].as_str().and_then(|date| date.parse::<Date>().ok());
        date.is_none_or(|date| date >= today)
    };
    hours.holiday_schedule.iter().filter(is_future).cloned().collect()
}

fn day(text: &str) -> Option<usize> {
    let text = text.to_uppercase();
    (text.len() >= 3).then(|| WEEK.iter().position(|day| day.starts_with(&text)))?
}

fn time(text: &str) -> Option<String> {
    let time: jiff::civil::Time = text.parse().ok()?;
    Some(time.strftime("%H%M").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_parsed() {
        let days = |text: &str| {
            opening_hours(text).unwrap().0.iter().map(|it| it.day_of_week.clone()).collect::<Vec<_>>()
        };

        assert_eq!(days("mon-wed 09:00-17:30"), ["MONDAY", "TUESDAY", "WEDNESDAY"]);
        assert_eq!(days("saturday-mon 10:00-11:00"), ["SATURDAY", "SUNDAY", "MONDAY"]);
        let sunday = &opening_hours("sun 09:00-17:30").unwrap().0[0];
        assert_eq!((&sunday.open_time[..], &sunday.close_time[..]), ("0900", "1730"));
    }

    #[test]
    fn invalid_hours_are_refused() {
        for wrong in ["mon", "mon 9-5", "moo 09:00-10:00", "mon 17:00-09:00", "mon 09:00", "m 09:00-10:00"] {
            assert!(opening_hours(wrong).is_err(), "{wrong}");
        }
        let thrice = ["mon 08:00-09:00", "mon 10:00-11:00", "mon-fri 12:00-13:00"]
            .map(|it| opening_hours(it).unwrap());
        assert!(weekly(&thrice, "UTC", None, now()).is_err());
    }

    #[test]
    fn holidays_are_kept_until_they_are_past() {
        let holiday = |date: &str| json!({ "date": date, "start_time": "0000", "end_time": "2359" });
        let all = ["2026-11-28", "2026-11-29", "2026-11-30", "2026-12-25"].map(holiday);
        let before = CallHours { holiday_schedule: all.to_vec(), ..CallHours::default() };
        let left = |zone| {
            let hours =
                weekly(&[opening_hours("mon 08:00-09:00").unwrap()], zone, Some(&before), now()).unwrap();
            hours["holiday_schedule"].as_array().unwrap().len()
        };

        assert_eq!((left("UTC"), left("Asia/Kolkata")), (3, 2));
    }

    #[test]
    fn disabled_hours_still_have_a_zone_and_hours() {
        let week = always(None, None, now());
        let before = CallHours {
            timezone_id: Some("Asia/Kolkata".to_owned()),
            weekly_operating_hours: opening_hours("mon 08:00-09:00").unwrap().0,
            ..CallHours::default()
        };
        let kept = always(None, Some(&before), now());

        assert_eq!((&week["status"], &week["timezone_id"]), (&json!("DISABLED"), &json!("UTC")));
        assert_eq!(week["weekly_operating_hours"].as_array().unwrap().len(), 7);
        assert_eq!((&kept["status"], &kept["timezone_id"]), (&json!("DISABLED"), &json!("Asia/Kolkata")));
        assert_eq!(kept["weekly_operating_hours"].as_array().unwrap().len(), 1);
    }

    /// Sunday 2026-11-29, 18:30 in UTC: the 30th in Kolkata.
    fn now() -> Timestamp {
        Timestamp::from_second(1_795_977_000).unwrap()
    }
}
