//! What a notice means.

use serde::Serialize;

/// What a notice means, in Meta's terms. We act on the first two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// Somebody calls, with this SDP offer.
    Offer(String),
    /// The call is over.
    Over {
        /// Codes of Meta's errors, such as 138021, if it ended with any.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        errors: Vec<u64>,
        /// How long they talked, seconds. `None`: nobody picked up. (`COMPLETED` does not mean answered.)
        #[serde(skip_serializing_if = "Option::is_none")]
        talked_s: Option<u64>,
    },
    /// A call to a number set up for SIP was created. It is not ours to answer.
    Created,
    /// WhatsApp's answer to a call that we made. Nobody has picked up yet.
    Answer,
    /// A call that we made rings.
    Ringing,
    /// A call that we made was picked up.
    Accepted,
    /// A call that we made was turned down.
    Rejected,
    /// Meta's recording of a call can be fetched.
    Recording(Media),
    /// Meta's transcript of a call can be fetched.
    Transcript(Media),
    /// A message of ours was taken by Meta and has failed since.
    MessageFailed {
        /// Its [`message_ref`](crate::message_ref).
        message: String,
        /// Codes of Meta's errors, such as 131026.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        errors: Vec<u64>,
    },
    /// A person's user id has changed, or their number: each name is theirs.
    UserChanged {
        /// The new names, and those that the notice's caller does not hold.
        names: Vec<String>,
    },
    /// The caller left a voicemail.
    Voicemail(Media),
    /// Somebody said whether we may call them.
    PermissionReply {
        /// We may.
        is_granted: bool,
        /// For good.
        is_permanent: bool,
        /// Until then, seconds since 1970.
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<u64>,
        /// WhatsApp said so by itself, as after several unanswered calls.
        is_automatic: bool,
    },
    /// A number's call settings changed. Meta's words in lower case, where it sends them.
    Settings {
        /// Whether calling is on.
        #[serde(skip_serializing_if = "String::is_empty")]
        calling: String,
        /// Whether the call button is shown.
        #[serde(skip_serializing_if = "String::is_empty")]
        call_icon: String,
        /// Whether people are asked if we may call back.
        #[serde(skip_serializing_if = "String::is_empty")]
        callback: String,
        /// Whether SIP is on; then calls no longer come here.
        #[serde(skip_serializing_if = "String::is_empty")]
        sip: String,
        /// How media keys are exchanged: we speak `dtls`.
        #[serde(skip_serializing_if = "String::is_empty")]
        key_exchange: String,
    },
    /// The account broke a rule of Meta's, such as `user_initiated_calls_low_pickup_rate`.
    Violation {
        /// Which, in lower case.
        kind: String,
    },
    /// The account may no longer do all it could.
    Restricted(Vec<Restriction>),
    /// Something else about the account changed, such as a pricing tier.
    AccountChanged,
    /// Something does not work, by Meta's codes: such as 131044, no valid payment method.
    Trouble {
        /// The codes.
        errors: Vec<u64>,
    },
    /// An event or status of a call that we do not know.
    Unknown,
    /// A field of the webhook that we do not know. Only its size is kept.
    UnknownField {
        /// The size of its value, bytes.
        bytes: usize,
    },
    /// What is there is not what belongs there.
    Unreadable,
}

/// A file at Meta. It is fetched by its id; Meta keeps it for 7 days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Media {
    /// Its id; empty if Meta did not say.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Its type, such as `audio/ogg; codecs=opus`; empty if Meta did not say.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mime_type: String,
}

/// What an account may no longer do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restriction {
    /// Which restriction, in lower case.
    pub kind: String,
    /// Until when, as Meta writes it; empty when it does not say.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub until: String,
}
