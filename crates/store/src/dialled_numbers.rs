//! The names of numbers that are dialled on the telephone line: under its name a number has its settings, and stands in logs, metrics and
//! lists, where the number itself never stands.

use crate::error::{Context, Result};
use crate::items::{Item, text};
use crate::{Store, keys};
use call::NumberId;

/// The attribute with the name.
const NAME: &str = "name";

impl Store {
    /// Names a number, by its digits.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn name_dialled(&self, digits: &str, name: &NumberId) -> Result<()> {
        let attributes =
            [("pk", keys::dialled(digits)), ("sk", keys::NAME.to_owned()), (NAME, name.to_string())];
        let item: Item = attributes.map(|(attribute, value)| (attribute.to_owned(), text(value))).into();
        self.put(item).await.context("cannot name a number of the telephone line")
    }

    /// Returns the name of a number, by its digits, if it has one.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn name_of_dialled(&self, digits: &str) -> Result<Option<NumberId>> {
        let item = self.item(&keys::dialled(digits), keys::NAME).await;
        let item = item.context("cannot read the name of a number of the telephone line")?;
        Ok(item.and_then(|item| Some(item.get(NAME)?.as_s().ok()?.as_str().into())))
    }
}
