//! The faults of telephone calls, by name.

use strum::{EnumIter, IntoStaticStr};

/// A fault of a telephone call. Those marked *once* spare what is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case", prefix = "sip-")]
pub enum SipFault {
    /// The caller gives up as soon as it rings. An accept takes long, and is answered with 404.
    CallerGone,
    /// The caller gives up as soon as it rings. An accept succeeds all the same, for a session without a caller.
    DeadSession,
    /// Each webhook comes twice at once.
    WebhookTwice,
    /// Each webhook comes again after it was taken.
    WebhookAgain,
    /// *Once*: the first delivery of each webhook never arrives; the next one comes after the first pause.
    WebhookLost,
    /// The dashboard's test event comes before each call: signed, without data.
    TestEvent,
    /// Events of other types come before each call.
    OtherEvents,
    /// The webhook of each call comes an hour after the call.
    Stale,
    /// Webhooks have fields that no one has heard of, and a media security that is neither.
    NewFields,
    /// The headers of a call are folded, repeated and compact.
    OddHeaders,
    /// The caller withholds the number.
    Withheld,
    /// The carrier's media is not encrypted.
    PlainRtp,
    /// Another endpoint of the project has decided the call first.
    Taken,
    /// *Once*: the first request is answered with 429.
    Busy,
    /// *Once*: the first accept is answered with 500, and nothing is done.
    AcceptFails,
    /// *Once*: the first accept is answered with 500 after it was done.
    AcceptLost,
    /// An accept is answered with 200, and the carrier receives 400: there is no session.
    NoSession,
    /// A sideband opens no earlier than two seconds after the accept.
    LateSideband,
    /// *Once*: the sideband breaks in the agent's first sentence after the greeting, while the call goes on.
    SidebandDrops,
    /// The service loses the call in mid-sentence, without a notice; the carrier's leg stays up.
    LosesCall,
    /// The caller hangs up in the middle of the agent's first answer.
    HangsUpInAnswer,
    /// *Once*: the first hangup is answered with 500, and nothing is done.
    HangupFails,
    /// *Once*: the first hangup is answered with 500 after it was done.
    HangupLost,
    /// A refer is answered with 200, and nothing is done.
    ReferIgnored,
    /// A refer is answered with 500.
    ReferFails,
}

impl SipFault {
    /// Every kind.
    pub const ALL: [Self; 25] = [
        Self::CallerGone,
        Self::DeadSession,
        Self::WebhookTwice,
        Self::WebhookAgain,
        Self::WebhookLost,
        Self::TestEvent,
        Self::OtherEvents,
        Self::Stale,
        Self::NewFields,
        Self::OddHeaders,
        Self::Withheld,
        Self::PlainRtp,
        Self::Taken,
        Self::Busy,
        Self::AcceptFails,
        Self::AcceptLost,
        Self::NoSession,
        Self::LateSideband,
        Self::SidebandDrops,
        Self::LosesCall,
        Self::HangsUpInAnswer,
        Self::HangupFails,
        Self::HangupLost,
        Self::ReferIgnored,
        Self::ReferFails,
    ];

    /// Its name, such as `sip-caller-gone`.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strum::IntoEnumIterator;

    #[test]
    fn every_fault_is_listed_by_a_name_of_its_own_kind() {
        assert_eq!(SipFault::iter().collect::<Vec<_>>(), SipFault::ALL);
        for fault in SipFault::ALL {
            assert!(fault.name().starts_with("sip-"), "{}", fault.name());
        }
    }

    #[test]
    fn the_readme_lists_every_fault() {
        let readme = include_str!("../../README.md");
        for fault in SipFault::ALL {
            let row = format!("| `{}` |", fault.name());
            assert!(readme.contains(&row), "{row}");
        }
    }
}
