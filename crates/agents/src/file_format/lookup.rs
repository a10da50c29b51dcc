//! The `[lookup]` table.

use super::http_tool::{address, allowed, secret_name};
use crate::error::{Fault, quoted};
use crate::rules::{at_most, ms};
use serde::Deserialize;
use std::collections::BTreeSet;

/// How many agents a lookup may choose from.
const MAX_OVERRIDES: usize = 8;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lookup {
    url: String,
    sign_with: String,
    #[serde(default = "eight_tenths")]
    timeout_ms: u64,
    #[serde(default)]
    may_override: Vec<String>,
}

fn eight_tenths() -> u64 {
    800
}

impl Lookup {
    /// Validates the table of the agent `own`.
    pub(super) fn resolve(self, own: &str, allowed_hosts: &[String]) -> Result<crate::Lookup, Fault> {
        let url = address("lookup.url", &self.url)?;
        allowed("lookup.url", &url, allowed_hosts)?;
        secret_name("lookup.sign_with", Some(&self.sign_with))?;
        overrides(own, &self.may_override)?;
        Ok(crate::Lookup {
            url,
            sign_with: self.sign_with,
            timeout: ms("lookup.timeout_ms", self.timeout_ms, 100..=1500)?,
            may_override: self.may_override,
        })
    }
}

fn overrides(own: &str, names: &[String]) -> Result<(), Fault> {
    at_most("lookup.may_override", names.len(), MAX_OVERRIDES)?;
    let mut seen = BTreeSet::new();
    for (index, name) in names.iter().enumerate() {
        let field = format!("lookup.may_override[{index}]");
        super::check_agent_name(&field, name)?;
        if name == own {
            return Err(Fault::new(field, "is this agent itself: name the others"));
        }
        if !seen.insert(name) {
            return Err(Fault::new(field, format!("{} is listed twice", quoted(name))));
        }
    }
    Ok(())
}
