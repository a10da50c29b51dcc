//! The faults that can be injected, by name.

use std::fmt;
use std::str::FromStr;
use strum::{IntoEnumIterator, IntoStaticStr};

/// A fault of the business's system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, strum::EnumIter)]
#[strum(serialize_all = "kebab-case")]
pub enum Fault {
    /// A lookup is answered after 400 ms.
    LookupSlow,
    /// A lookup is answered after five seconds.
    LookupLate,
    /// A lookup is answered 500.
    #[strum(serialize = "lookup-500")]
    Lookup500,
    /// A lookup is answered 200, with a page of HTML.
    LookupHtml,
    /// A lookup is answered with two megabytes of JSON.
    #[strum(serialize = "lookup-2mb")]
    Lookup2mb,
    /// A lookup is answered with JSON of the right names and the wrong types.
    LookupWrongTypes,
    /// A lookup is answered with orders to the model in the place of the customer's name.
    LookupHostileName,
    /// A lookup is answered 302; the answer is at another path.
    LookupRedirect,
    /// A lookup chooses an agent that does not exist.
    LookupUnknownAgent,
    /// A lookup refuses the call, with a message.
    LookupReject,
    /// An outcome is answered 500 the first time.
    #[strum(serialize = "after-500-then-200")]
    After500Then200,
    /// Each outcome is answered 410.
    #[strum(serialize = "after-410")]
    After410,
    /// An outcome is answered after a minute.
    AfterSlow,
    /// An outcome is taken the first time, and the connection breaks before the answer leaves.
    AfterLostReply,
    /// An outcome is taken and answered with two megabytes.
    #[strum(serialize = "after-2mb-reply")]
    After2mbReply,
}

/// The name is no fault's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFault(String);

impl Fault {
    /// Returns every fault.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::iter()
    }

    /// Whether it befalls lookups.
    pub(crate) fn is_of_lookups(&self) -> bool {
        <&str>::from(self).starts_with("lookup-")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.into())
    }
}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::iter().find(|fault| fault.to_string() == name).ok_or_else(|| UnknownFault(name.to_owned()))
    }
}

impl fmt::Display for UnknownFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<_> = Fault::iter().map(|fault| fault.to_string()).collect();
        write!(f, "there is no fault {:?}: there are {}", self.0, all.join(", "))
    }
}

impl std::error::Error for UnknownFault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_known_by_its_name() {
        let names: Vec<_> = Fault::all().map(|fault| fault.to_string()).collect();

        assert_eq!(
            names,
            [
                "lookup-slow",
                "lookup-late",
                "lookup-500",
                "lookup-html",
                "lookup-2mb",
                "lookup-wrong-types",
                "lookup-hostile-name",
                "lookup-redirect",
                "lookup-unknown-agent",
                "lookup-reject",
                "after-500-then-200",
                "after-410",
                "after-slow",
                "after-lost-reply",
                "after-2mb-reply",
            ]
        );
        assert_eq!("after-410".parse(), Ok(Fault::After410));
    }

    #[test]
    fn the_readme_has_a_row_for_each() {
        let readme = include_str!("../README.md");
        for fault in Fault::all() {
            assert!(readme.contains(&format!("| `{fault}` |")), "{fault}");
        }
    }
}
