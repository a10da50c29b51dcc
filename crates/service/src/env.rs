//! Settings by name, from the environment. A wrong one says which it is.

use secrecy::SecretString;
use std::collections::BTreeMap;
use std::str::FromStr;

/// A setting that is missing or malformed. Its text is one line that names the variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// It must be set.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// It is not set, and what it would say cannot be found out.
    #[error("{name} is not set, and {reason}")]
    Unknown {
        /// The variable.
        name: &'static str,
        /// Why it cannot be found out.
        reason: String,
    },
    /// It cannot be read.
    #[error("{name} is {value:?}: {reason}")]
    Malformed {
        /// The variable.
        name: &'static str,
        /// What it holds.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Where settings come from: the process's environment, or a test's table.
#[derive(Debug, Clone, Default)]
pub struct Env(BTreeMap<String, String>);

impl Env {
    /// The environment of this process.
    pub fn of_process() -> Self {
        Self(std::env::vars().collect())
    }

    /// Settings of a test.
    pub fn of(settings: &[(&str, &str)]) -> Self {
        Self(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// A setting that may be absent; an empty one counts as absent.
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// A setting that must be there.
    ///
    /// # Errors
    /// When it is not.
    pub fn required(&self, name: &'static str) -> Result<String, SettingError> {
        self.optional(name).map(str::to_owned).ok_or(SettingError::Missing(name))
    }

    /// A secret that may be absent.
    pub fn secret(&self, name: &str) -> Option<SecretString> {
        self.optional(name).map(SecretString::from)
    }

    /// A setting of another type, or its default.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn parsed<T>(&self, name: &'static str, default: T) -> Result<T, SettingError>
    where
        T: FromStr,
        T::Err: std::fmt::Display,
    {
        Ok(self.parsed_if_set(name)?.unwrap_or(default))
    }

    /// A setting of another type that may be absent.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn parsed_if_set<T>(&self, name: &'static str) -> Result<Option<T>, SettingError>
    where
        T: FromStr,
        T::Err: std::fmt::Display,
    {
        let read = |value: &str| {
            value.parse().map_err(|error: T::Err| SettingError::Malformed {
                name,
                value: value.to_owned(),
                reason: error.to_string(),
            })
        };
        self.optional(name).map(read).transpose()
    }

    /// What a file holds whose path is a setting that may be absent.
    ///
    /// # Errors
    /// When the file is not there, or `read` says what is wrong with it.
    pub fn file<T, E: std::fmt::Display>(
        &self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, SettingError> {
        let Some(path) = self.optional(name) else { return Ok(None) };
        let wrong = |reason| SettingError::Malformed { name, value: path.to_owned(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        read(&text).map(Some).map_err(|error| wrong(error.to_string()))
    }

    /// Settings whose names begin alike, by what follows, in lower case: what is named so elsewhere is lower case there.
    pub fn beginning_with(&self, prefix: &str) -> BTreeMap<String, String> {
        let named = self.0.iter().filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)));
        named.map(|(rest, value)| (rest.to_ascii_lowercase(), value.clone())).collect()
    }

    /// A comma-separated list; empty when it is absent.
    pub fn list(&self, name: &str) -> Vec<String> {
        let items = self.optional(name).unwrap_or_default().split(',');
        items.map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let missing = Env::of(&[("TABLE", " ")]).required("TABLE").expect_err("it is empty");

        assert_eq!(missing.to_string(), "TABLE is not set");
    }

    #[test]
    fn what_is_malformed_is_named_with_its_value() {
        let wrong = Env::of(&[("SLOTS", "many")]).parsed::<u64>("SLOTS", 8).expect_err("it is no number");

        assert_eq!(wrong.to_string(), r#"SLOTS is "many": invalid digit found in string"#);
    }

    #[test]
    fn settings_that_begin_alike_are_named_by_the_rest_in_lower_case() {
        let env = Env::of(&[("SECRET_SHOP_2", "a"), ("SECRET_CALENDAR", "b"), ("TABLE", "ahoy")]);

        let named = [("calendar", "b"), ("shop_2", "a")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(env.beginning_with("SECRET_"), named.into());
    }

    #[test]
    fn lists_are_trimmed() {
        assert_eq!(Env::of(&[("NUMBERS", "1, 2,,")]).list("NUMBERS"), ["1", "2"]);
        assert_eq!(Env::default().list("NUMBERS"), Vec::<String>::new());
    }
}
