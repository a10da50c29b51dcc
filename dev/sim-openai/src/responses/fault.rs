//! The faults of the Responses API, by name.

use strum::{EnumIter, IntoStaticStr};

/// A fault of the Responses API. Those marked *once* spare the second request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case", prefix = "responses-")]
pub enum ResponsesFault {
    /// *Once*: 429 `rate_limit_exceeded`, with `Retry-After: 1`.
    Busy,
    /// 429 `rate_limit_exceeded` each time, with `Retry-After: 20`.
    AlwaysBusy,
    /// 429 `insufficient_quota`, without `Retry-After`.
    Quota,
    /// *Once*: 500.
    Error,
    /// 404 `model_not_found`, whatever the model.
    NoModel,
    /// `status: incomplete`, in the middle of the JSON.
    Truncated,
    /// `status: incomplete`, with reasoning and without a message.
    OnlyReasons,
    /// The model refuses: a `refusal` in the place of the text.
    Refuses,
    /// The request is taken, and never answered.
    Silent,
}

impl ResponsesFault {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Busy,
        Self::AlwaysBusy,
        Self::Quota,
        Self::Error,
        Self::NoModel,
        Self::Truncated,
        Self::OnlyReasons,
        Self::Refuses,
        Self::Silent,
    ];

    pub(crate) fn name(self) -> &'static str {
        self.into()
    }

    /// Whether it befalls the n-th request.
    pub(crate) fn befalls(self, request: usize) -> bool {
        request == 0 || !matches!(self, Self::Busy | Self::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strum::IntoEnumIterator;

    #[test]
    fn all_are_listed_and_named_after_the_api() {
        assert_eq!(ResponsesFault::iter().collect::<Vec<_>>(), ResponsesFault::ALL);
        assert!(ResponsesFault::ALL.iter().all(|fault| fault.name().starts_with("responses-")));
    }

    #[test]
    fn the_readme_has_a_row_for_each() {
        let readme = include_str!("../../README.md");
        for fault in ResponsesFault::ALL {
            assert!(readme.contains(&format!("| `{}` |", fault.name())), "{fault:?}");
        }
    }
}
