//! `[caps]` and `[keeping]` as written.

use crate::rules::within;
use crate::wrong::Fault;
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Caps {
    dollars_a_day: Option<f64>,
    calls_an_hour: Option<u32>,
}

impl Caps {
    pub(super) fn resolve(self) -> Result<crate::Caps, Fault> {
        if let Some(dollars) = self.dollars_a_day
            && !(dollars.is_finite() && dollars > 0.0)
        {
            return Err(Fault::new("caps.dollars_a_day", "must be more than 0; leave it out for no limit"));
        }
        if self.calls_an_hour == Some(0) {
            return Err(Fault::new("caps.calls_an_hour", "must be more than 0; leave it out for no limit"));
        }
        Ok(crate::Caps { dollars_a_day: self.dollars_a_day, calls_an_hour: self.calls_an_hour })
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
