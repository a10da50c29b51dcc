//! `/{version}/{number}/settings`: how a number takes calls. Only documented keys and values, and Meta's two conditions.

use super::error::{GraphError, require};
use super::node_request::{Answer, NodeRequest};
use crate::business_records::BusinessRecords;
use axum::Json;
use axum::body::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};

/// Fewer users, and calling cannot be enabled.
const FEWEST_USERS: u64 = 2_000;

const DAYS: [&str; 7] = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    calling: Calling,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Calling {
    status: Option<Switch>,
    #[serde(rename = "call_icon_visibility")]
    _call_icon_visibility: Option<Visibility>,
    #[serde(rename = "callback_permission_status")]
    _callback_permission_status: Option<Switch>,
    #[serde(rename = "srtp_key_exchange_protocol")]
    _srtp_key_exchange_protocol: Option<Keys>,
    call_hours: Option<Hours>,
    #[serde(rename = "sip")]
    _sip: Option<Sip>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
enum Switch {
    Enabled,
    Disabled,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Visibility {
    Default,
    DisableAll,
    HideInChat,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Keys {
    Dtls,
    Sdes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sip {
    #[serde(rename = "status")]
    _status: Switch,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hours {
    #[serde(rename = "status")]
    _status: Switch,
    timezone_id: Option<String>,
    #[serde(default)]
    weekly_operating_hours: Vec<Opening>,
    #[serde(default)]
    holiday_schedule: Vec<Holiday>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opening {
    day_of_week: String,
    open_time: String,
    close_time: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Holiday {
    date: String,
    start_time: String,
    end_time: String,
}

pub(super) async fn get(asked: NodeRequest) -> Answer {
    let records = asked.number_records()?;
    Ok(Json(json!({ "calling": records.calling, "storage_configuration": { "status": "DEFAULT" } })))
}

pub(super) async fn post(asked: NodeRequest, body: Bytes) -> Answer {
    let records = asked.number_records()?;
    let wanted = read(&body, Timestamp::now())?;
    permit(&wanted, &records)?;
    let changes: Value = serde_json::from_slice(&body).expect("it was just read");
    asked.cloud.change_records(|records| {
        for (key, value) in changes["calling"].as_object().into_iter().flatten() {
            records.calling[key] = value.clone();
        }
    });
    Ok(Json(json!({ "success": true })))
}

fn read(body: &[u8], now: Timestamp) -> Result<Calling, GraphError> {
    let Body { calling } = serde_json::from_slice(body)?;
    if let Some(hours) = &calling.call_hours {
        hours.check(now)?;
    }
    Ok(calling)
}

/// What Meta demands before calling is enabled: 138015, and 138018.
fn permit(wanted: &Calling, records: &BusinessRecords) -> Result<(), GraphError> {
    let enables = wanted.status == Some(Switch::Enabled) && records.calling["status"] != "ENABLED";
    if enables && records.most_users().is_some_and(|users| users < FEWEST_USERS) {
        return Err(GraphError::limit_low());
    }
    if enables && !records.receives_calls() {
        return Err(GraphError::not_subscribed());
    }
    Ok(())
}

impl Hours {
    fn check(&self, now: Timestamp) -> Result<(), GraphError> {
        // Whether they are enabled or not.
        let zone = self.timezone_id.as_deref().map(TimeZone::get).and_then(Result::ok);
        let zone = zone.ok_or_else(|| GraphError::invalid("call_hours.timezone_id must name a time zone"))?;
        let (week, holidays) = (&self.weekly_operating_hours, &self.holiday_schedule);
        require(!week.is_empty(), "call_hours.weekly_operating_hours is required")?;
        let today = now.to_zoned(zone).date();
        let dates = holidays.iter().map(|holiday| holiday.date.parse::<Date>());
        let dates = dates.collect::<Result<Vec<_>, _>>();
        let dates = dates.map_err(|_| GraphError::invalid("holiday_schedule.date is yyyy-mm-dd"))?;
        require(dates.iter().all(|date| *date >= today), "Holiday given in call_hours is a past date")?;
        require(holidays.len() <= 20, "holiday_schedule has at most 20")?;
        for Opening { day_of_week: day, .. } in week {
            require(DAYS.contains(&day.as_str()), "day_of_week is no day")?;
            let ranges = week.iter().filter(|it| it.day_of_week == *day).count();
            require(ranges <= 2, "a day has at most two ranges")?;
        }
        let openings = week.iter().map(|it| (&it.open_time, &it.close_time));
        let mut times = openings.chain(holidays.iter().map(|it| (&it.start_time, &it.end_time)));
        let are_times = times.all(|(from, to)| is_time(from) && is_time(to) && from < to);
        require(are_times, "times are HHMM, the first before the second")
    }
}

fn is_time(text: &str) -> bool {
    let is_number = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number && text[..2] < *"24" && text[2..] < *"60"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_documented_settings_and_refuses_others() {
        let hours = json!({ "status": "ENABLED", "timezone_id": "Asia/Kolkata", "weekly_operating_hours": [
            { "day_of_week": "MONDAY", "open_time": "0900", "close_time": "1730" }] });
        assert!(judged(&json!({ "call_hours": hours, "status": "ENABLED" })).is_ok());
        let with = |key: &str, value: Value| {
            let mut hours = hours.clone();
            hours[key] = value;
            judged(&json!({ "call_hours": hours })).map(drop).map_err(|error| error.code)
        };
        let holiday = |date: &str| json!([{ "date": date, "start_time": "0000", "end_time": "2359" }]);
        assert_eq!(with("holiday_schedule", holiday("2026-11-30")), Ok(()));
        assert_eq!(with("holiday_schedule", holiday("2026-11-29")), Err(100), "it is past there");
        for status in ["ENABLED", "DISABLED"] {
            let mut hours = hours.clone();
            hours["status"] = json!(status);
            assert!(judged(&json!({ "call_hours": hours })).is_ok());
            for required in ["timezone_id", "weekly_operating_hours"] {
                let mut hours = hours.clone();
                hours.as_object_mut().unwrap().remove(required);
                assert!(judged(&json!({ "call_hours": hours })).is_err(), "{status} without {required}");
            }
        }

        for wrong in [
            json!({ "status": "enabled" }),
            json!({ "colour": "green" }),
            json!({ "call_icon_visibility": "NONE" }),
            json!({ "call_hours": { "status": "ENABLED" } }),
            json!({ "call_hours": { "status": "DISABLED", "weekly_operating_hours": [
                { "day_of_week": "MONDAY", "open_time": "0900", "close_time": "2460" }] } }),
        ] {
            assert_eq!(judged(&wrong).err().map(|error| error.code), Some(100), "{wrong}");
        }
    }

    #[test]
    fn calling_is_enabled_only_for_those_whom_meta_lets() {
        let mut records =
            BusinessRecords { calling: json!({ "status": "DISABLED" }), ..BusinessRecords::default() };
        let enable = judged(&json!({ "status": "ENABLED" })).unwrap_or_else(|error| panic!("{error:?}"));

        assert_eq!(permit(&enable, &records).unwrap_err().code, 138_018, "no app is subscribed");
        records.subscribe("https://here.example/webhook");
        assert_eq!(permit(&enable, &records), Ok(()));
        records.number.messaging_limit = "TIER_1K".to_owned();
        assert_eq!(permit(&enable, &records).unwrap_err().code, 138_015);
        records.number.messaging_limit = "TIER_UNLIMITED".to_owned();
        assert_eq!(permit(&enable, &records), Ok(()));
    }

    fn judged(calling: &Value) -> Result<Calling, GraphError> {
        // Sunday 2026-11-29, 18:30 in UTC: the 30th in Kolkata.
        let now = Timestamp::from_second(1_795_977_000).unwrap();
        read(json!({ "calling": calling }).to_string().as_bytes(), now)
    }
}
