//! Call hours as somebody writes them in a command line: `mon-fri 09:00-17:30`.

use serde_json::{Value, json};
use whatsapp::business::{CallHours, Opening};

const WEEK: [&str; 7] = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];

/// Meta takes so many a day.
const MOST_A_DAY: usize = 2;

/// Stretches of days of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch(Vec<Opening>);

/// Reads one: a day or a range of days, and a range of times.
pub fn stretch(text: &str) -> Result<Stretch, String> {
    let wrong = || format!("{text:?} is not like `mon-fri 09:00-17:30`");
    let (days, times) = text.trim().split_once(' ').ok_or_else(wrong)?;
    let (first, last) = days.split_once('-').unwrap_or((days, days));
    let (first, last) = (day(first).ok_or_else(wrong)?, day(last).ok_or_else(wrong)?);
    let (open, close) = times.trim().split_once('-').ok_or_else(wrong)?;
    let (open, close) = (time(open).ok_or_else(wrong)?, time(close).ok_or_else(wrong)?);
    if open >= close {
        return Err(format!("{text:?} ends before it begins: Meta's hours end with the day"));
    }
    let length = (last + 7 - first) % 7 + 1;
    let opening = |day: usize| Opening {
        day_of_week: WEEK[day % 7].to_owned(),
        open_time: open.clone(),
        close_time: close.clone(),
    };
    Ok(Stretch((first..first + length).map(opening).collect()))
}

/// Call hours in Meta's words. Holidays that Meta has stay.
///
/// # Errors
/// When a day has more stretches than Meta takes.
pub fn weekly(stretches: &[Stretch], zone: &str, before: Option<&CallHours>) -> Result<Value, String> {
    let mut openings: Vec<Opening> = stretches.iter().flat_map(|it| it.0.clone()).collect();
    openings.sort();
    if let Some(day) =
        WEEK.iter().find(|day| openings.iter().filter(|it| it.day_of_week == **day).count() > MOST_A_DAY)
    {
        return Err(format!("{day} has more than {MOST_A_DAY} stretches, and Meta takes no more"));
    }
    let holidays = before.map(|hours| hours.holiday_schedule.clone()).unwrap_or_default();
    Ok(json!({ "status": "ENABLED", "timezone_id": zone,
        "weekly_operating_hours": openings, "holiday_schedule": holidays }))
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
    fn a_stretch_is_days_and_times() {
        let days =
            |text: &str| stretch(text).unwrap().0.iter().map(|it| it.day_of_week.clone()).collect::<Vec<_>>();

        assert_eq!(days("mon-wed 09:00-17:30"), ["MONDAY", "TUESDAY", "WEDNESDAY"]);
        assert_eq!(days("saturday-mon 10:00-11:00"), ["SATURDAY", "SUNDAY", "MONDAY"]);
        let sunday = &stretch("sun 09:00-17:30").unwrap().0[0];
        assert_eq!((&sunday.open_time[..], &sunday.close_time[..]), ("0900", "1730"));
    }

    #[test]
    fn what_is_none_is_told() {
        for wrong in ["mon", "mon 9-5", "moo 09:00-10:00", "mon 17:00-09:00", "mon 09:00", "m 09:00-10:00"] {
            assert!(stretch(wrong).is_err(), "{wrong}");
        }
        let thrice =
            ["mon 08:00-09:00", "mon 10:00-11:00", "mon-fri 12:00-13:00"].map(|it| stretch(it).unwrap());
        assert!(weekly(&thrice, "UTC", None).is_err());
    }

    #[test]
    fn holidays_stay() {
        let holidays = vec![json!({ "date": "2026-12-25", "start_time": "0000", "end_time": "2359" })];
        let before = CallHours { holiday_schedule: holidays.clone(), ..CallHours::default() };

        let hours = weekly(&[stretch("mon 08:00-09:00").unwrap()], "UTC", Some(&before)).unwrap();

        assert_eq!(hours["holiday_schedule"], json!(holidays));
    }
}
