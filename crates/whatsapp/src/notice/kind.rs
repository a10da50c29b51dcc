//! The kinds of notices.

use serde::Serialize;

/// The meaning of a notice, in Meta's terms. Only the first two change a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A `connect`: a person calls, with this SDP offer.
    Offer(String),
    /// A `terminate`: the call is over.
    Over {
        /// Meta's error codes, such as 138021; empty without any.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        errors: Vec<u64>,
        /// How long the call lasted, seconds; `None` when it was not answered. (`COMPLETED` does not mean answered.)
        #[serde(skip_serializing_if = "Option::is_none")]
        talked_s: Option<u64>,
    },
    /// A call to a number set up for SIP, which is not ours to answer.
    Created,
    /// WhatsApp's SDP answer to a call that we made, before the callee picks up.
    Answer,
    /// A call that we made rings.
    Ringing,
    /// A call that we made was answered.
    Accepted,
    /// A call that we made was rejected.
    Rejected,
    /// Meta's recording of a call is available.
    Recording(Media),
    /// Meta's transcript of a call is available.
    Transcript(Media),
    /// A message of ours that Meta had accepted has failed.
    MessageFailed {
        /// Its [`message_ref`](crate::message_ref).
        message: String,
        /// Meta's error codes, such as 131026.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        errors: Vec<u64>,
    },
    /// A person's user id or number has changed; each name is theirs.
    UserChanged {
        /// The new names, and those that the notice's caller lacks.
        names: Vec<String>,
    },
    /// The caller left a voicemail.
    Voicemail(Media),
    /// A person's reply to whether we may call them.
    PermissionReply {
        /// Whether we may call.
        is_granted: bool,
        /// Whether the permission does not expire.
        is_permanent: bool,
        /// When the permission ends, seconds since 1970.
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<u64>,
        /// Whether WhatsApp replied by itself, as after several unanswered calls.
        is_automatic: bool,
    },
    /// A number's call settings changed. Meta's words in lower case; empty where it sends none.
    Settings {
        /// Whether calling is on.
        #[serde(skip_serializing_if = "String::is_empty")]
        calling: String,
        /// Whether the call button is shown.
        #[serde(skip_serializing_if = "String::is_empty")]
        call_icon: String,
        /// Whether callers are asked for permission to be called back.
        #[serde(skip_serializing_if = "String::is_empty")]
        callback: String,
        /// Whether SIP is on; then calls no longer reach us.
        #[serde(skip_serializing_if = "String::is_empty")]
        sip: String,
        /// The key exchange for media; we support `dtls`.
        #[serde(skip_serializing_if = "String::is_empty")]
        key_exchange: String,
    },
    /// The account broke a rule of Meta's, such as `user_initiated_calls_low_pickup_rate`.
    Violation {
        /// The rule, in lower case.
        kind: String,
    },
    /// Meta restricts what the account may do.
    Restricted(Vec<Restriction>),
    /// Another change of the account, such as its pricing tier.
    AccountChanged,
    /// Meta reports errors, such as 131044, no valid payment method.
    Trouble {
        /// Meta's error codes.
        errors: Vec<u64>,
    },
    /// An event or status of a call that we do not know.
    Unknown,
    /// A webhook field that we do not know, of which only the size is kept.
    UnknownField {
        /// The size of its value, bytes.
        bytes: usize,
    },
    /// An item that lacks what it must have.
    Unreadable,
}

/// A file at Meta, which is fetched by its id and kept for 7 days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Media {
    /// The file's id; empty when Meta does not give it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The file's type, such as `audio/ogg; codecs=opus`; empty when Meta does not give it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mime_type: String,
}

/// A restriction of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restriction {
    /// The kind of restriction, in lower case.
    pub kind: String,
    /// When it ends, as Meta writes it; empty when it does not say.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub until: String,
}
