//! The `[after]` table.

use super::extract::Extract;
use super::http_tool::{address, allowed, secret_name};
use crate::error::{Fault, quoted};
use crate::{AfterEvent, Keeping};
use serde::Deserialize;
use std::collections::BTreeSet;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct After {
    url: String,
    sign_with: String,
    #[serde(default = "ended")]
    on: Vec<AfterEvent>,
    #[serde(default)]
    transcript: bool,
    #[serde(default)]
    tells_caller: bool,
    extract: Option<Extract>,
}

fn ended() -> Vec<AfterEvent> {
    vec![AfterEvent::CallEnded]
}

impl After {
    pub(super) fn resolve(self, allowed_hosts: &[String], keeping: Keeping) -> Result<crate::After, Fault> {
        let url = address("after.url", &self.url)?;
        allowed("after.url", &url, allowed_hosts)?;
        secret_name("after.sign_with", Some(&self.sign_with))?;
        events(&self.on)?;
        if !keeping.transcripts {
            without_transcripts("after.transcript", self.transcript)?;
            without_transcripts("after.extract", self.extract.is_some())?;
        }
        let is_on_end = self.on.contains(&AfterEvent::CallEnded);
        for (field, is_written) in
            [("after.transcript", self.transcript), ("after.extract", self.extract.is_some())]
        {
            if is_written && !is_on_end {
                return Err(Fault::new(
                    field,
                    "is delivered with \"call.ended\", which after.on does not list",
                ));
            }
        }
        Ok(crate::After {
            url,
            sign_with: self.sign_with,
            on: self.on,
            transcript: self.transcript,
            tells_caller: self.tells_caller,
            extract: self.extract.map(Extract::resolve).transpose()?,
        })
    }
}

fn events(on: &[AfterEvent]) -> Result<(), Fault> {
    if on.is_empty() {
        return Err(Fault::new("after.on", "is empty"));
    }
    let mut seen = BTreeSet::new();
    match on.iter().enumerate().find(|(_, event)| !seen.insert(**event)) {
        Some((index, event)) => Err(Fault::new(
            format!("after.on[{index}]"),
            format!("{} is listed twice", quoted(event.as_str())),
        )),
        None => Ok(()),
    }
}

fn without_transcripts(field: &str, is_written: bool) -> Result<(), Fault> {
    let reason = "needs transcripts, which keeping.transcripts = false does not store";
    if is_written { Err(Fault::new(field, reason)) } else { Ok(()) }
}
