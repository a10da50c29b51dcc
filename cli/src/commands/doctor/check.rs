//! The checks, by name, and what comes of one.

use crate::fetched::{FetchError, Fetched};
use crate::meta::Change;

macro_rules! checks {
    ($($variant:ident = $name:literal;)*) => {
        /// One thing between a user and a first call. `docs/doctor.md` says what each means, and what cures it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Check {
            $($variant,)*
        }

        impl Check {
            /// All there are, in the order a call meets them.
            pub const ALL: &[Check] = &[$(Check::$variant),*];

            /// Its name, which stays.
            pub fn name(self) -> &'static str {
                match self {
                    $(Check::$variant => $name,)*
                }
            }
        }
    };
}

checks! {
    GraphVersion = "graph-version";
    TokenValid = "token-valid";
    TokenKind = "token-kind";
    TokenExpiry = "token-expiry";
    TokenPermissions = "token-permissions";
    TokenAccount = "token-account";
    AppSecret = "app-secret";
    AppCalls = "app-calls";
    AppMessages = "app-messages";
    AppActive = "app-active";
    AppWebhook = "app-webhook";
    AccountSubscribed = "account-subscribed";
    AccountOtherApps = "account-other-apps";
    AccountWebhook = "account-webhook";
    AccountReview = "account-review";
    AccountPayment = "account-payment";
    NumberStatus = "number-status";
    NumberPlatform = "number-platform";
    NumberWebhook = "number-webhook";
    NumberLimit = "number-limit";
    NumberAgent = "number-agent";
    CallingEnabled = "calling-enabled";
    CallingIcon = "calling-icon";
    CallingSip = "calling-sip";
    CallingKeys = "calling-keys";
    CallingHours = "calling-hours";
    CallingRestrictions = "calling-restrictions";
    MetaSecret = "meta-secret";
    MediaSecret = "media-secret";
    Table = "table";
    WarmTasks = "warm-tasks";
    Concurrency = "lambda-concurrency";
    WebhookChallenge = "webhook-challenge";
    WebhookSigned = "webhook-signed";
    WebhookForged = "webhook-forged";
    ModelKey = "openai-key";
    Model = "openai-model";
    ModelSession = "openai-session";
}

impl Check {
    /// Whether another number, or its account, may fare differently.
    pub fn is_of_a_number(self) -> bool {
        match self {
            Self::TokenAccount
            | Self::AccountSubscribed
            | Self::AccountOtherApps
            | Self::AccountWebhook
            | Self::AccountReview
            | Self::AccountPayment
            | Self::NumberStatus
            | Self::NumberPlatform
            | Self::NumberWebhook
            | Self::NumberLimit
            | Self::NumberAgent
            | Self::CallingEnabled
            | Self::CallingIcon
            | Self::CallingSip
            | Self::CallingKeys
            | Self::CallingHours
            | Self::CallingRestrictions => true,
            Self::GraphVersion
            | Self::TokenValid
            | Self::TokenKind
            | Self::TokenExpiry
            | Self::TokenPermissions
            | Self::AppSecret
            | Self::AppCalls
            | Self::AppMessages
            | Self::AppActive
            | Self::AppWebhook
            | Self::MetaSecret
            | Self::MediaSecret
            | Self::Table
            | Self::WarmTasks
            | Self::Concurrency
            | Self::WebhookChallenge
            | Self::WebhookSigned
            | Self::WebhookForged
            | Self::ModelKey
            | Self::Model
            | Self::ModelSession => false,
        }
    }
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// As it must be: how it is.
    Fine(String),
    /// Not as it must be.
    Wrong(Wrong),
    /// It cannot be known, and why.
    Unknown(String),
}

/// What is wrong, and what can be done about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Wrong {
    /// What is wrong.
    pub says: String,
    /// Meta's code for it, 0 when it has none.
    pub code: u32,
    /// What somebody can do.
    pub cure: String,
    /// What `--fix` can do.
    pub fix: Option<Change>,
}

impl Finding {
    /// As it must be.
    pub fn fine(says: impl Into<String>) -> Self {
        Self::Fine(says.into())
    }

    /// Not as it must be, and what somebody can do.
    pub fn wrong(code: u32, says: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::Wrong(Wrong { says: says.into(), code, cure: cure.into(), fix: None })
    }

    /// It cannot be known.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown(why.into())
    }

    /// The same, with what `--fix` can do.
    pub fn fixed_by(self, change: Option<Change>) -> Self {
        match self {
            Self::Wrong(wrong) => Self::Wrong(Wrong { fix: change, ..wrong }),
            Self::Fine(_) | Self::Unknown(_) => self,
        }
    }
}

/// Judges what was seen; what was not is unknown.
pub fn seen<T>(fact: &Fetched<T>, judge: impl FnOnce(&T) -> Finding) -> Finding {
    match fact {
        Ok(fact) => judge(fact),
        Err(unseen) => Finding::unknown(unseen.why.clone()),
    }
}

/// Judges what was seen; what is not there, or refused with one of these codes, is wrong.
pub fn needed<T>(fact: &Fetched<T>, codes: &[u32], cure: &str, judge: impl FnOnce(&T) -> Finding) -> Finding {
    match fact {
        Err(FetchError { why, code, is_wrong }) if *is_wrong || codes.contains(code) => {
            Finding::wrong(*code, why.clone(), cure)
        }
        fact => seen(fact, judge),
    }
}
