//! What a request asks of IAM.

use std::collections::{BTreeMap, BTreeSet};

/// An action on a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccessRequest {
    /// Such as `dynamodb:GetItem`.
    pub action: String,
    /// The ARN of what it is done to.
    pub resource: String,
    /// The values of other condition keys, such as `ecs:cluster`.
    pub context: BTreeMap<String, String>,
    /// Whose items of a DynamoDB table are touched, by the values of their partition keys (`dynamodb:LeadingKeys`); nothing where
    /// the request names none.
    pub leading_keys: BTreeSet<String>,
}

impl AccessRequest {
    /// An action on a resource.
    pub fn new(action: &str, resource: &str) -> Self {
        Self {
            action: action.to_owned(),
            resource: resource.to_owned(),
            context: BTreeMap::new(),
            leading_keys: BTreeSet::new(),
        }
    }

    /// The same, with this value of a condition key.
    #[must_use]
    pub fn under(mut self, key: &str, value: &str) -> Self {
        self.context.insert(key.to_owned(), value.to_owned());
        self
    }

    /// The same, of items in these partitions.
    #[must_use]
    pub fn leading_to(mut self, keys: impl IntoIterator<Item = String>) -> Self {
        self.leading_keys.extend(keys);
        self
    }

    /// The same, with the kinds of the partitions alone: `CALL#*` for `CALL#ab12`.
    #[must_use]
    pub(super) fn by_kind(mut self) -> Self {
        let kind =
            |key: &String| key.split_once('#').map_or_else(|| key.clone(), |(kind, _)| format!("{kind}#*"));
        self.leading_keys = self.leading_keys.iter().map(kind).collect();
        self
    }
}
