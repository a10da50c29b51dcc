//! The doctor's checks, by name, and the finding of a check.

use crate::fetched::{FetchError, Fetched};
use crate::meta::Change;

macro_rules! checks {
    ($($variant:ident = $name:literal;)*) => {
        /// One condition of a first call. `docs/doctor.md` says what each means, and how to fix it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Check {
            $($variant,)*
        }

        impl Check {
            /// All checks, in the order in which a call depends on them.
            pub(crate) const ALL: &[Check] = &[$(Check::$variant),*];

            /// Returns the check's name; scripts depend on it, so it never changes.
            pub(crate) fn name(self) -> &'static str {
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
    BusinessKeys = "business-keys";
    BusinessEvents = "business-events";
    WebhookChallenge = "webhook-challenge";
    WebhookSigned = "webhook-signed";
    WebhookForged = "webhook-forged";
    ModelKey = "openai-key";
    Model = "openai-model";
    ModelSession = "openai-session";
    SipSecret = "sip-secret";
    SipKey = "sip-key";
    SipWebhook = "sip-webhook";
    SipEndpoint = "sip-endpoint";
    SipNumber = "sip-number";
    SipReach = "sip-reach";
}

impl Check {
    /// Whether the finding may differ between numbers or their accounts.
    pub(crate) fn is_per_number(self) -> bool {
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
            | Self::BusinessKeys
            | Self::BusinessEvents
            | Self::WebhookChallenge
            | Self::WebhookSigned
            | Self::WebhookForged
            | Self::ModelKey
            | Self::Model
            | Self::ModelSession
            | Self::SipSecret
            | Self::SipKey
            | Self::SipWebhook
            | Self::SipEndpoint
            | Self::SipNumber
            | Self::SipReach => false,
        }
    }

    /// Whether the check is about the SIP line: without one it is left out.
    pub(crate) fn is_of_sip_line(self) -> bool {
        self.name().starts_with("sip-")
    }
}

/// The result of a check.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Finding {
    /// Correct, with the value found.
    Fine(String),
    /// Not correct.
    Wrong(Wrong),
    /// Works, and is not how it should stay.
    Warning { says: String, cure: String },
    /// Could not be checked, and why.
    Unknown(String),
}

/// What is wrong, and how to fix it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wrong {
    pub(crate) says: String,
    /// Meta's error code; 0 when it has none.
    pub(crate) code: u32,
    /// How the operator fixes it.
    pub(crate) cure: String,
    /// The change that `--fix` makes, if it can.
    pub(crate) fix: Option<Change>,
}

impl Finding {
    pub(crate) fn fine(says: impl Into<String>) -> Self {
        Self::Fine(says.into())
    }

    /// `code`: Meta's error code, 0 when it has none.
    pub(crate) fn wrong(code: u32, says: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::Wrong(Wrong { says: says.into(), code, cure: cure.into(), fix: None })
    }

    pub(crate) fn warning(says: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::Warning { says: says.into(), cure: cure.into() }
    }

    pub(crate) fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown(why.into())
    }

    /// Adds the change that `--fix` makes.
    pub(crate) fn fixed_by(self, change: Option<Change>) -> Self {
        match self {
            Self::Wrong(wrong) => Self::Wrong(Wrong { fix: change, ..wrong }),
            Self::Fine(_) | Self::Warning { .. } | Self::Unknown(_) => self,
        }
    }
}

/// Judges a fetched fact; one that could not be fetched is unknown.
pub(crate) fn judge_fetched<T>(fact: &Fetched<T>, judge: impl FnOnce(&T) -> Finding) -> Finding {
    match fact {
        Ok(fact) => judge(fact),
        Err(error) => Finding::unknown(error.why.clone()),
    }
}

/// Judges a fact that must exist: one that is missing, or refused with one of `codes`, is wrong.
pub(crate) fn judge_required<T>(
    fact: &Fetched<T>,
    codes: &[u32],
    cure: &str,
    judge: impl FnOnce(&T) -> Finding,
) -> Finding {
    match fact {
        Err(FetchError { why, code, is_wrong }) if *is_wrong || codes.contains(code) => {
            Finding::wrong(*code, why.clone(), cure)
        }
        fact => judge_fetched(fact, judge),
    }
}
