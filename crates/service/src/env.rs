//! Settings from environment variables. An invalid one is reported by its name.

use secrecy::SecretString;
use std::collections::BTreeMap;
use std::str::FromStr;

/// A setting that is missing or malformed. Its message is one line that names the variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// A required variable is not set.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// The variable is not set, and its value cannot be determined otherwise.
    #[error("{name} is not set, and {reason}")]
    Unknown {
        /// The name of the variable.
        name: &'static str,
        /// Why the value cannot be determined.
        reason: String,
    },
    /// The value cannot be parsed.
    #[error("{name} is {value:?}: {reason}")]
    Malformed {
        /// The name of the variable.
        name: &'static str,
        /// The variable's value.
        value: String,
        /// What is wrong with the value.
        reason: String,
    },
}

/// The source of settings: the process's environment, or a test's table.
#[derive(Debug, Clone, Default)]
pub struct Env(BTreeMap<String, String>);

impl Env {
    /// Returns the environment of this process.
    pub fn of_process() -> Self {
        Self(std::env::vars().collect())
    }

    /// Returns the settings of a test.
    pub fn of(settings: &[(&str, &str)]) -> Self {
        Self(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// Returns an optional setting; an empty one counts as absent.
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// Returns a required setting.
    ///
    /// # Errors
    /// Returns [`SettingError::Missing`] when it is absent.
    pub fn required(&self, name: &'static str) -> Result<String, SettingError> {
        self.optional(name).map(str::to_owned).ok_or(SettingError::Missing(name))
    }

    /// Returns an optional secret.
    pub fn secret(&self, name: &str) -> Option<SecretString> {
        self.optional(name).map(SecretString::from)
    }

    /// Returns a setting parsed as `T`, or its default.
    ///
    /// # Errors
    /// Returns [`SettingError::Malformed`] when it is set and cannot be parsed.
    pub fn parsed<T>(&self, name: &'static str, default: T) -> Result<T, SettingError>
    where
        T: FromStr,
        T::Err: std::fmt::Display,
    {
        Ok(self.parsed_if_set(name)?.unwrap_or(default))
    }

    /// Returns an optional setting parsed as `T`.
    ///
    /// # Errors
    /// Returns [`SettingError::Malformed`] when it is set and cannot be parsed.
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

    /// Returns the parsed content of the file whose path is an optional setting.
    ///
    /// # Errors
    /// Returns [`SettingError::Malformed`] when the file cannot be read, or `read` fails.
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

    /// Returns the settings whose names begin with `prefix`, keyed by the rest of the name in lower case, as other files refer to them.
    pub fn beginning_with(&self, prefix: &str) -> BTreeMap<String, String> {
        let named = self.0.iter().filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)));
        named.map(|(rest, value)| (rest.to_ascii_lowercase(), value.clone())).collect()
    }

    /// Returns a comma-separated list; empty when it is absent.
    pub fn list(&self, name: &str) -> Vec<String> {
        let items = self.optional(name).unwrap_or_default().split(',');
        items.map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_setting_is_named() {
        let missing = Env::of(&[("TABLE", " ")]).required("TABLE").expect_err("it is empty");

        assert_eq!(missing.to_string(), "TABLE is not set");
    }

    #[test]
    fn a_malformed_setting_is_named_with_its_value() {
        let wrong = Env::of(&[("SLOTS", "many")]).parsed::<u64>("SLOTS", 8).expect_err("it is no number");

        assert_eq!(wrong.to_string(), r#"SLOTS is "many": invalid digit found in string"#);
    }

    #[test]
    fn settings_with_a_prefix_are_keyed_by_the_rest() {
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
