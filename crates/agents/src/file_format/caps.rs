//! The `[caps]` and `[keeping]` tables.

use crate::error::Fault;
use crate::rules::within;
use serde::Deserialize;

/// A larger number is not a cap.
pub(super) const MAX_COUNT: u32 = 1_000_000;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Caps {
    dollars_a_day: Option<f64>,
    calls_an_hour: Option<u32>,
    messages_a_call: Option<u32>,
    messages_an_hour: Option<u32>,
    tools_a_call: Option<u32>,
    tools_an_hour: Option<u32>,
    notices_an_hour: Option<u32>,
}

impl Caps {
    pub(super) fn resolve(self) -> Result<crate::Caps, Fault> {
        if let Some(dollars) = self.dollars_a_day
            && !(dollars.is_finite() && dollars > 0.0)
        {
            return Err(Fault::new("caps.dollars_a_day", "must be more than 0; omit it for no limit"));
        }
        if self.calls_an_hour == Some(0) {
            return Err(Fault::new("caps.calls_an_hour", "must be more than 0; omit it for no limit"));
        }
        let default = crate::Caps::default();
        let budget = |key: &str, written: Option<u32>, default: u32| {
            within(&format!("caps.{key}"), written.unwrap_or(default), 0..=MAX_COUNT, "")
        };
        Ok(crate::Caps {
            dollars_a_day: self.dollars_a_day,
            calls_an_hour: self.calls_an_hour,
            messages_a_call: budget("messages_a_call", self.messages_a_call, default.messages_a_call)?,
            messages_an_hour: budget("messages_an_hour", self.messages_an_hour, default.messages_an_hour)?,
            tools_a_call: budget("tools_a_call", self.tools_a_call, default.tools_a_call)?,
            tools_an_hour: budget("tools_an_hour", self.tools_an_hour, default.tools_an_hour)?,
            notices_an_hour: budget("notices_an_hour", self.notices_an_hour, default.notices_an_hour)?,
        })
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Keeping {
    transcripts: bool,
    days: u32,
}

impl Default for Keeping {
    fn default() -> Self {
        let crate::Keeping { transcripts, days } = crate::Keeping::default();
        Self { transcripts, days }
    }
}

impl Keeping {
    pub(super) fn resolve(self) -> Result<crate::Keeping, Fault> {
        let days = within("keeping.days", self.days, 1..=3650, " days")?;
        Ok(crate::Keeping { transcripts: self.transcripts, days })
    }
}
