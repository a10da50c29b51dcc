//! Somebody who calls, as an operator names them: turned into the mark that the table knows them by, and kept nowhere.

use crate::Common;
use crate::site::MediaKeys;
use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use service::pseudonyms::PseudonymKeys;
use service::secrets::Secret;
use std::collections::BTreeSet;
use std::fmt;
use whatsapp::personal_names;

/// A name of somebody at Meta: a phone number, or a user id.
#[derive(Clone, PartialEq, Eq)]
pub struct Person(String);

const BRAZIL: &str = "Looked for with and without the ninth digit of Brazilian mobile numbers.";
const MEXICO: &str = "Looked for with and without the 1 after 52 of Mexican mobile numbers.";
const ARGENTINA: &str = "Looked for with and without the 9 after 54 of Argentine mobile numbers.";

/// Marks people, under every key that marks may have been made with.
#[derive(Debug)]
pub struct Marker {
    keys: Vec<SecretString>,
    made_at_ms: Option<u64>,
}

#[derive(Clone, Deserialize)]
struct MediaSecret {
    door_key: SecretString,
    #[serde(default)]
    previous_door_key: Option<SecretString>,
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
        if digits.len() >= 7 && digits.chars().all(|letter| letter.is_ascii_digit()) {
            return Ok(Self(digits.trim_start_matches("00").to_owned()));
        }
        let is_short = digits.chars().all(|letter| letter.is_ascii_digit());
        if is_short {
            return Err("a phone number has seven digits at least, its country's code included".to_owned());
        }
        let is_id = typed.len() >= 5 && typed.chars().all(|letter| letter.is_ascii_graphic());
        is_id.then(|| Self(typed.to_owned())).ok_or_else(|| "neither a phone number nor a user id".to_owned())
    }

    /// Every name that Meta may have for them: this one, and for a number of a country whose mobile numbers have two forms the
    /// other one.
    pub fn forms(&self) -> Vec<Self> {
        let other = two_forms(&self.0).map(|(other, _)| Self(other));
        [Some(self.clone()), other].into_iter().flatten().collect()
    }

    /// In words, that they are looked for by another form of their number as well. It names no number.
    pub fn also(&self) -> Option<&'static str> {
        two_forms(&self.0).map(|(_, words)| words)
    }

    /// Their name as Meta writes it.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Whether Meta writes names of people like this: what it wrote of other things is searched for no other.
    pub fn is_metas(&self) -> bool {
        personal_names::is_number(&self.0) || personal_names::is_user_id(&self.0)
    }

    /// Of a name that Meta gave.
    pub fn of_meta(name: &str) -> Self {
        Self(name.to_owned())
    }
}

/// The other form of a mobile number that has two, and what the two are.
///
/// Meta may know people by the one that they were registered with, while they know themselves by the other.
fn two_forms(number: &str) -> Option<(String, &'static str)> {
    let is_number = number.bytes().all(|letter| letter.is_ascii_digit());
    let (country, rest) = number.split_at_checked(2).filter(|_| is_number)?;
    let with = |at: usize, digit: &str| format!("{country}{}{digit}{}", &rest[..at], &rest[at..]);
    let without = |at: usize| format!("{country}{}{}", &rest[..at], &rest[at + 1..]);
    let digit = |at: usize| rest.as_bytes().get(at).copied().unwrap_or_default();
    Some(match (country, rest.len()) {
        // Lines of houses begin with 2 to 5, and never had another form.
        ("55", 10) if digit(2) >= b'6' => (with(2, "9"), BRAZIL),
        ("55", 11) if digit(2) == b'9' && digit(3) >= b'6' => (without(2), BRAZIL),
        ("52", 10) => (with(0, "1"), MEXICO),
        ("52", 11) if digit(0) == b'1' => (without(0), MEXICO),
        ("54", 10) => (with(0, "9"), ARGENTINA),
        ("54", 11) if digit(0) == b'9' => (without(0), ARGENTINA),
        _ => return None,
    })
}

impl fmt::Debug for Person {
    /// Not who it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person")
    }
}

impl Marker {
    /// Fetches the keys: those of marks, the doors' key, with which a stack that has no key of marks makes them, and the one before it.
    ///
    /// # Errors
    /// When the secret cannot be had.
    pub async fn fetch(keys: &MediaKeys, common: &Common) -> anyhow::Result<Self> {
        let config = service::cloud::config().await;
        let secret = Secret::<MediaSecret>::fetch(&config, &keys.media_secret(common)).await;
        let secret = secret.context("cannot tell users by their marks (--media-secret)")?.value();
        let marks = PseudonymKeys::fetch(&config, &keys.mark_secret(common)).await;
        let marks = marks.context("cannot tell users by their marks (--mark-secret)")?;
        let doors = [Some(&secret.door_key), secret.previous_door_key.as_ref()].into_iter().flatten();
        let keys = marks.iter().flat_map(PseudonymKeys::all).chain(doors);
        let keys = keys.filter(|key| !key.expose_secret().is_empty()).cloned().collect();
        Ok(Self { keys, made_at_ms: marks.map(|marks| marks.made_at_ms) })
    }

    /// The marks of a person by this name, one for each key.
    pub fn marks(&self, person: &Person) -> BTreeSet<String> {
        let mark =
            |key: &SecretString| internal_api::pseudonym::of(key.expose_secret().as_bytes(), person.name());
        self.keys.iter().map(mark).collect()
    }

    /// When the key of marks was made, ms since 1970: older marks may be under a key that is lost. `None`: there is no such key.
    pub fn made_at_ms(&self) -> Option<u64> {
        self.made_at_ms
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
    fn a_number_with_two_forms_has_both_of_them_whichever_is_typed() {
        for (one, other) in [
            ("+55 31 8888-8888", "5531988888888"),
            ("+55 11 7777-1234", "5511977771234"),
            ("+52 1 55 1234 5678", "525512345678"),
            ("+54 9 11 2345-6789", "541123456789"),
        ] {
            let one = Person::read(one).unwrap();
            let other = Person::read(other).unwrap();
            assert_eq!(one.forms(), [one.clone(), other.clone()]);
            assert_eq!(other.forms(), [other.clone(), one.clone()]);
            assert!(one.also().is_some() && one.also() == other.also());
        }
    }

    #[test]
    fn other_numbers_and_ids_have_one_form() {
        for typed in ["+55 31 3333-3333", "+91 99000 00001", "+5212345", "BR.77001234567890123456"] {
            let person = Person::read(typed).unwrap();
            assert_eq!((person.forms(), person.also()), (vec![person.clone()], None), "{typed}");
        }
    }

    #[test]
    fn a_user_id_is_taken_as_it_is_and_nothing_at_all_is_nobody() {
        assert_eq!(Person::read("US.13491208655302741918").unwrap().name(), "US.13491208655302741918");
        assert!(Person::read("").is_err() && Person::read("two words").is_err());
        assert!(Person::read("+52 1234").is_err(), "too short for a phone number");
        assert!(!Person::read("connect").unwrap().is_metas() && Person::read("US.13491").unwrap().is_metas());
    }

    #[test]
    fn nobody_is_named_by_printing() {
        assert_eq!(format!("{:?}", Person::read("919900000001")), "Ok(Person)");
    }
}
