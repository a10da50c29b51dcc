//! Somebody who calls, as an operator names them: turned into the mark that the table knows them by, and kept nowhere.

use crate::site::MediaKeys;
use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use service::secrets::Secret;
use std::fmt;

/// A name of somebody at Meta: a phone number, or a user id.
#[derive(Clone, PartialEq, Eq)]
pub struct Person(String);

/// Marks people.
#[derive(Debug)]
pub struct Marker {
    key: SecretString,
}

#[derive(Clone, Deserialize)]
struct MediaSecret {
    door_key: SecretString,
}

impl Person {
    /// As somebody types it: a phone number with whatever is usual between its digits, else a user id as Meta writes it.
    ///
    /// # Errors
    /// When it is neither.
    pub fn read(typed: &str) -> Result<Self, String> {
        let typed = typed.trim();
        let is_between = |letter: char| " +-().\u{a0}/".contains(letter);
        let digits: String = typed.chars().filter(|letter| !is_between(*letter)).collect();
        if digits.len() >= 5 && digits.chars().all(|letter| letter.is_ascii_digit()) {
            return Ok(Self(digits.trim_start_matches("00").to_owned()));
        }
        let is_id = typed.len() >= 5 && typed.chars().all(|letter| letter.is_ascii_graphic());
        is_id.then(|| Self(typed.to_owned())).ok_or_else(|| "neither a phone number nor a user id".to_owned())
    }

    /// Their name as Meta writes it.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Of a name that Meta gave.
    pub fn of_meta(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl fmt::Debug for Person {
    /// Not who it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person")
    }
}

impl Marker {
    /// Fetches the key.
    ///
    /// # Errors
    /// When the secret cannot be had.
    pub async fn fetch(keys: &MediaKeys) -> anyhow::Result<Self> {
        let secret = Secret::<MediaSecret>::fetch(&service::cloud::config().await, &keys.media_secret).await;
        let secret = secret.context("cannot tell users by their marks (--media-secret)")?;
        Ok(Self { key: secret.value().door_key.clone() })
    }

    /// The mark of somebody by this name.
    pub fn mark(&self, person: &Person) -> String {
        protocol::mark::of(self.key.expose_secret().as_bytes(), person.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_its_digits_however_it_is_typed() {
        for typed in ["919900000001", "+91 99000 00001", "0091-99000-00001", " (91) 99000.00001 "] {
            assert_eq!(Person::read(typed).unwrap().name(), "919900000001", "{typed}");
        }
    }

    #[test]
    fn a_user_id_is_taken_as_it_is_and_nothing_at_all_is_nobody() {
        assert_eq!(Person::read("US.13491208655302741918").unwrap().name(), "US.13491208655302741918");
        assert!(Person::read("").is_err() && Person::read("two words").is_err());
    }

    #[test]
    fn nobody_is_named_by_printing() {
        assert_eq!(format!("{:?}", Person::read("919900000001")), "Ok(Person)");
    }
}
