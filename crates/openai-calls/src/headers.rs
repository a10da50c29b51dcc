//! Who calls, and which number they dialled, by the SIP headers of the call.
//!
//! Anyone who knows the project's id can write these headers: they count only beside the trunk's key, and never prove who calls.

mod address;

use crate::digits;
use address::Addresses;
use serde::Deserialize;
use std::fmt;

/// The trunk's own headers, which our edge or the provider's settings add.
const KEY: &str = "X-Ahoy-Key";
const DIALLED: &str = "X-Ahoy-Dialled";
const TRUNK: &str = "X-Ahoy-Trunk";

/// The values of `Privacy` that ask for the caller's identity to be withheld (RFC 3323, 4.2; `id`: RFC 3325, 9.3). `full` is of older drafts.
const WITHHOLDING: [&str; 4] = ["id", "user", "header", "full"];

/// The compact names of headers that are read here (RFC 3261, 7.3.3).
const COMPACT: [(&str, &str); 2] = [("f", "From"), ("t", "To")];

/// A SIP header of the INVITE, as OpenAI passes it on: in order, repeated ones kept.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct SipHeader {
    /// Its name, in any case, possibly compact.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl fmt::Debug for SipHeader {
    /// Leaves out the value, and the name, which the caller may have chosen.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SipHeader")
    }
}

/// Who calls whom.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CallParties {
    /// The digits of the caller's number, unless withheld.
    pub caller: Option<String>,
    /// The display name that the caller is shown by, unless withheld: the carrier passes on what it was sent.
    pub name: Option<String>,
    /// The digits of the number that was dialled.
    pub dialled: Option<String>,
    /// The name of the trunk.
    pub trunk: Option<String>,
    /// What claims to be the trunk's key.
    pub(crate) keys: Vec<String>,
}

impl fmt::Debug for CallParties {
    /// Shows what is known, and no value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallParties")
            .field("caller", &self.caller.is_some())
            .field("dialled", &self.dialled.is_some())
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

impl CallParties {
    /// Reads the headers of a call.
    pub fn read(headers: &[SipHeader]) -> Self {
        let headers = Headers(headers);
        Self {
            caller: headers.caller(),
            name: headers.name(),
            dialled: headers.dialled(),
            trunk: headers.last(TRUNK).filter(|name| !name.is_empty()),
            keys: headers.all(KEY).map(unfolded).filter(|key| !key.is_empty()).collect(),
        }
    }
}

struct Headers<'a>(&'a [SipHeader]);

impl Headers<'_> {
    fn all(&self, name: &'static str) -> impl DoubleEndedIterator<Item = &str> {
        self.0.iter().filter(move |header| is_named(header, name)).map(|header| header.value.as_str())
    }

    /// Returns the last of the headers with this name: our edge adds its own after those from outside.
    fn last(&self, name: &'static str) -> Option<String> {
        self.all(name).next_back().map(unfolded)
    }

    /// Returns the caller by the first header that says who it is: what the carrier asserts before what the caller claims. A caller who
    /// withholds the number is none, whatever the carrier passes on.
    fn caller(&self) -> Option<String> {
        if self.is_caller_withheld() {
            return None;
        }
        let named = ["P-Asserted-Identity", "Remote-Party-ID", "From"].into_iter();
        named.into_iter().find_map(|name| self.number_in(name))
    }

    /// Returns the display name of `From`, unless the caller withholds the number.
    fn name(&self) -> Option<String> {
        self.caller()?;
        self.all("From").find_map(|value| Addresses::of(&unfolded(value)).find_map(|address| address.name()))
    }

    /// Whether a header asks for the caller's identity to be withheld. More than the standard separates its values: a comma, where a proxy has
    /// joined several headers.
    fn is_caller_withheld(&self) -> bool {
        let mut asked = self.all("Privacy").flat_map(|value| value.split([';', ',', ' ', '\t', '\r', '\n']));
        asked.any(|word| WITHHOLDING.iter().any(|withholding| word.eq_ignore_ascii_case(withholding)))
    }

    /// Returns the dialled number: `To` and the request's own address normally name the project at OpenAI.
    fn dialled(&self) -> Option<String> {
        let own = || self.last(DIALLED).and_then(|value| digits(&value).or_else(|| first_number(&value)));
        let named = ["Diversion", "History-Info", "P-Called-Party-ID", "To"].into_iter();
        own().or_else(|| named.into_iter().find_map(|name| self.number_in(name)))
    }

    fn number_in(&self, name: &'static str) -> Option<String> {
        self.all(name).find_map(first_number)
    }
}

fn first_number(value: &str) -> Option<String> {
    Addresses::of(&unfolded(value)).find_map(|address| address.number())
}

fn is_named(header: &SipHeader, name: &str) -> bool {
    let given = header.name.trim();
    let whole = COMPACT
        .iter()
        .find(|(compact, _)| given.eq_ignore_ascii_case(compact))
        .map_or(given, |(_, whole)| whole);
    whole.eq_ignore_ascii_case(name)
}

/// Returns a value on one line: a folded one continues after a line break and white space (RFC 3261, 7.3.1).
fn unfolded(value: &str) -> String {
    value.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "headers_tests.rs"]
mod tests;
