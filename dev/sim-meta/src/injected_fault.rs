//! The faults that can be injected, by name.

use std::fmt;
use std::str::FromStr;

macro_rules! injected_faults {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal, $side:ident, $weight:literal;)*) => {
        /// One thing that goes wrong with a call. Its name is in kebab case, as in `--fault cut-accept`.
        ///
        /// *Once* and *twice* are counted for each call.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum InjectedFault {
            $($(#[doc = $doc])* $variant,)*
        }

        impl InjectedFault {
            /// All there are.
            pub const ALL: &[InjectedFault] = &[$(InjectedFault::$variant),*];

            /// Its name in kebab case.
            pub fn name(self) -> &'static str {
                match self {
                    $(InjectedFault::$variant => $name,)*
                }
            }

            /// Where it acts.
            pub fn side(self) -> Side {
                match self {
                    $(InjectedFault::$variant => Side::$side,)*
                }
            }

            /// How often it is drawn, against the others of its side.
            pub fn weight(self) -> usize {
                match self {
                    $(InjectedFault::$variant => $weight,)*
                }
            }
        }
    };
}

/// Where a fault acts. Faults of different sides can be combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What a webhook looks like.
    Shape,
    /// When the `connect` webhook comes, and how often.
    Connect,
    /// When the `terminate` webhook comes, and how often.
    Terminate,
    /// What Graph replies.
    Graph,
    /// The relay and the caller's phone.
    Media,
}

impl Side {
    /// All there are.
    pub const ALL: [Side; 5] = [Side::Shape, Side::Connect, Side::Terminate, Side::Graph, Side::Media];
}

injected_faults! {
    /// The caller's number is hidden: no `from`, no `wa_id`, only the business-scoped user id.
    NoFrom = "no-from", Shape, 3;
    /// The webhooks have no `contacts`.
    NoContacts = "no-contacts", Shape, 3;
    /// The webhooks do not say the `direction`.
    NoDirection = "no-direction", Shape, 3;
    /// The call comes in a batch, with message statuses, unknown fields and broken items before and after it.
    Batched = "batched", Shape, 3;
    /// All stamps are two minutes behind. The call is to be answered all the same.
    StampsBehind = "stamps-behind", Shape, 2;
    /// All stamps are two minutes ahead. The call is to be answered all the same.
    StampsAhead = "stamps-ahead", Shape, 2;

    /// The `connect` webhook comes a second time after it was answered.
    DuplicateConnect = "duplicate-connect", Connect, 4;
    /// The `connect` webhook comes [`crate::Timers::late_connect`] after the ring began.
    LateConnect = "late-connect", Connect, 3;
    /// The stamp of `connect` is four minutes old. It rings on, so that a business that answers is found out.
    StaleConnect = "stale-connect", Connect, 1;
    /// The stamp of `connect` is two hours ahead. It rings on, so that a business that answers is found out.
    FutureConnect = "future-connect", Connect, 1;
    /// The caller gives up at once, and `terminate` is delivered before `connect`.
    OutOfOrder = "out-of-order", Connect, 2;
    /// The first `connect` bears a wrong signature; it comes again with the right one.
    BadSignatureOnce = "bad-signature-once", Connect, 3;
    /// Webhooks of another number of the same account come too, from `connect` to `terminate`.
    Foreign = "foreign", Connect, 3;

    /// The `terminate` webhook never comes.
    MissingTerminate = "missing-terminate", Terminate, 2;
    /// The `terminate` webhook comes a second time after it was answered.
    DuplicateTerminate = "duplicate-terminate", Terminate, 2;

    /// Graph refuses every `pre_accept` and `accept` with 138008.
    SdpRefused = "sdp-refused", Graph, 1;
    /// The first call action gets a 500 (138004) and has no effect.
    Graph500Once = "graph-500-once", Graph, 4;
    /// The first two call actions get a 500 (138004) and have no effect.
    Graph500Twice = "graph-500-twice", Graph, 4;
    /// The first call action gets a 429 (138005) and has no effect.
    Graph429Once = "graph-429-once", Graph, 4;
    /// Every call action gets a 429 (138005) and has no effect.
    Graph429Always = "graph-429-always", Graph, 1;
    /// The first call action gets a 400 (code 2, `is_transient`) and has no effect.
    GraphTransientOnce = "graph-transient-once", Graph, 2;
    /// The first call action gets a 200 with `success: false` and has no effect.
    SuccessFalseOnce = "success-false-once", Graph, 2;
    /// A connection that has carried one call action is dead: the next action on it is never answered, as after a freeze.
    DeadConnections = "dead-connections", Graph, 2;
    /// Every message to this caller is refused: too many to one user (131056).
    MessagePairLimit = "message-pair-limit", Graph, 1;
    /// Every message to this caller is refused: Meta cannot charge for it (131042).
    MessageUnpaid = "message-unpaid", Graph, 1;
    /// The first message to this caller gets a 400 (code 2, `is_transient`) and is not sent.
    MessageTransientOnce = "message-transient-once", Graph, 1;
    /// The first message to this caller gets a 200 with `success: false` and is not sent.
    MessageUndoneOnce = "message-undone-once", Graph, 1;
    /// Messages to this caller are taken, and fail before the reply: 131026, in a webhook that is delivered at the same time.
    MessageFailsAtOnce = "message-fails-at-once", Graph, 1;
    /// Messages to this caller are taken, and fail after [`crate::Timers::message_fails`]: 131026, in a webhook.
    MessageFails = "message-fails", Graph, 1;
    /// Every reply of Graph takes [`crate::Timers::slow_graph`].
    GraphSlow = "graph-slow", Graph, 2;
    /// The reply to `pre_accept` takes [`crate::Timers::slow_graph`], its effect does not.
    SlowPreAccept = "slow-pre-accept", Graph, 3;
    /// The connection is cut once, after `pre_accept` took effect and before its reply.
    CutPreAccept = "cut-pre-accept", Graph, 3;
    /// The connection is cut once, after an `accept` took effect and before its reply.
    CutAccept = "cut-accept", Graph, 3;
    /// The connection is cut once, after `terminate` took effect and before its reply.
    CutTerminate = "cut-terminate", Graph, 3;
    /// The caller hangs up between `pre_accept` and `accept`.
    CallerGivesUp = "caller-gives-up", Graph, 3;
    /// Meta ends the call between `pre_accept` and `accept`, with an error that is not about media: 138007.
    ConnectTimesOut = "connect-times-out", Graph, 1;
    /// The caller hangs up just before `accept` arrives, which is refused for that.
    HangsUpAtAccept = "hangs-up-at-accept", Graph, 3;
    /// Graph knows the token no more: 190 for every action, and for messages to this caller.
    TokenInvalid = "token-invalid", Graph, 1;
    /// The account has no means of payment: 131044 for every action.
    PaymentMissing = "payment-missing", Graph, 1;
    /// Calling is not enabled for the number: 138000 for every action.
    CallingNotEnabled = "calling-not-enabled", Graph, 1;
    /// SIP is enabled for the number: 131055 for every action.
    SipEnabled = "sip-enabled", Graph, 1;

    /// The relay answers no STUN request.
    IceNever = "ice-never", Media, 1;
    /// The relay connects ICE and never answers a ClientHello.
    DtlsNever = "dtls-never", Media, 1;
    /// The caller's phone sends no RTP at all.
    SilentCaller = "silent-caller", Media, 2;
    /// The relay claims to control: it refuses every check with 487, and answers none.
    RoleConflict = "role-conflict", Media, 1;
    /// Nothing listens at the relay's port: its host says so by ICMP.
    RelayClosed = "relay-closed", Media, 1;
    /// The relay drops what does not come from an address that the answer gives.
    AdvertisedOnly = "advertised-only", Media, 1;
    /// The caller's phone sends its voice with payload type 0 (PCMU), which is not in the offer.
    WrongPayload = "wrong-payload", Media, 1;
    /// The relay drops the agent's sound, and the phone speaks all the same. For want of sound Meta ends the call (138021).
    AgentUnheard = "agent-unheard", Media, 1;
    /// Once a path is nominated the relay answers only checks that nominate it, which those of libwebrtc all do.
    StrictRelay = "strict-relay", Media, 1;
    /// Once a path is nominated the relay answers no check, and sound goes on: the call is to be held all the same.
    ChecksUnanswered = "checks-unanswered", Media, 1;
}

impl InjectedFault {
    /// Whether Graph takes no action at all, so that not even `reject` can end the call before its ring does.
    pub fn refuses_every_action(self) -> bool {
        matches!(
            self,
            InjectedFault::Graph429Always
                | InjectedFault::TokenInvalid
                | InjectedFault::PaymentMissing
                | InjectedFault::CallingNotEnabled
                | InjectedFault::SipEnabled
        )
    }
}

/// No injected fault has this name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no injected fault; there are {list}", list = InjectedFault::ALL.iter().map(|m| m.name()).collect::<Vec<_>>().join(", "))]
pub struct UnknownFault(String);

impl FromStr for InjectedFault {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<InjectedFault, UnknownFault> {
        let fault = InjectedFault::ALL.iter().find(|fault| fault.name() == name);
        fault.copied().ok_or_else(|| UnknownFault(name.to_owned()))
    }
}

impl fmt::Display for InjectedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_means_itself() {
        for fault in InjectedFault::ALL {
            assert_eq!(fault.to_string().parse(), Ok(*fault));
        }
    }

    #[test]
    fn an_unknown_name_is_told_the_known_ones() {
        let refusal = "gremlins".parse::<InjectedFault>().unwrap_err().to_string();

        assert!(refusal.contains("`gremlins`") && refusal.contains("cut-accept"), "{refusal}");
    }

    #[test]
    fn the_readme_lists_every_fault_with_its_side_and_weight() {
        let readme = include_str!("../README.md");
        for fault in InjectedFault::ALL {
            let row = format!("| `{fault}` | {:?} | {} |", fault.side(), fault.weight());
            assert!(readme.contains(&row), "{row} is not in README.md");
        }
    }
}
