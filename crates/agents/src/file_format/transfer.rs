//! The `[transfer]` table.

use super::caps::MAX_COUNT;
use crate::error::Fault;
use crate::rules::{text, within};
use serde::Deserialize;

/// The maximum length of `when`, in characters.
const MAX_WHEN: usize = 500;

const WHEN: &str =
    "Use it when the caller asks for a person, or when you cannot help them with what they called for.";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Transfer {
    target: String,
    #[serde(default = "when")]
    when: String,
    #[serde(default = "fifty")]
    a_day: u32,
}

fn when() -> String {
    WHEN.to_owned()
}

fn fifty() -> u32 {
    50
}

impl Transfer {
    pub(super) fn resolve(self) -> Result<crate::Transfer, Fault> {
        let is_none = |()| {
            Fault::new(
                "transfer.target",
                "must be \"tel:+\" and an international number in digits, or \"sip:user@host\"",
            )
        };
        text("transfer.when", &self.when, MAX_WHEN)?;
        Ok(crate::Transfer {
            target: self.target.parse().map_err(is_none)?,
            when: self.when,
            a_day: within("transfer.a_day", self.a_day, 0..=MAX_COUNT, "")?,
        })
    }
}
