//! Turns a phone number or user id that an operator types into the pseudonyms under which the table stores that person.

use crate::Common;
use crate::deployment_args::SecretArgs;
use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use service::pseudonym_keys::PseudonymKeys;
use service::secrets::Secret;
use std::collections::BTreeSet;
use std::fmt;
use whatsapp::personal_names;

/// A person's name at Meta, a phone number or a user id; never stored, printed or logged.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Person(String);

/// The fewest digits of a telephone caller's number: those of an extension, as a company's own exchange passes it on.
const SHORTEST_NUMBER: usize = 5;

/// The fewest digits of a number at Meta.
const SHORTEST_AT_META: usize = 7;

const BRAZIL: &str = "Searched with and without the ninth digit of Brazilian mobile numbers.";
const MEXICO: &str = "Searched with and without the 1 after 52 of Mexican mobile numbers.";
const ARGENTINA: &str = "Searched with and without the 9 after 54 of Argentine mobile numbers.";

/// Computes pseudonyms with every key that may have been used: the current and previous pseudonym keys and control API keys.
#[derive(Debug)]
pub(crate) struct Pseudonymizer {
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
    /// Parses a phone number, with the usual separators between its digits, or a user id as Meta writes it.
    ///
    /// # Errors
    /// When it is neither.
    pub(crate) fn read(typed: &str) -> Result<Self, String> {
        let typed = typed.trim();
        let is_between = |letter: char| " +-().\u{a0}/".contains(letter);
        let digits: String = typed.chars().filter(|letter| !is_between(*letter)).collect();
        if digits.len() >= SHORTEST_NUMBER && digits.chars().all(|letter| letter.is_ascii_digit()) {
            return Ok(Self(digits.trim_start_matches("00").to_owned()));
        }
        let is_short = digits.chars().all(|letter| letter.is_ascii_digit());
        if is_short {
            return Err(
                "a phone number has at least five digits, with its country code if it is no extension"
                    .to_owned(),
            );
        }
        let is_id = typed.len() >= 5 && typed.chars().all(|letter| letter.is_ascii_graphic());
        is_id
            .then(|| Self(typed.to_owned()))
            .ok_or_else(|| "this is neither a phone number nor a user id".to_owned())
    }

    /// Returns the names that Meta may know the person by: this one and, where a country's mobile numbers have two forms, the other.
    pub(crate) fn forms(&self) -> Vec<Self> {
        let other = two_forms(&self.0).map(|(other, _)| Self(other));
        [Some(self.clone()), other].into_iter().flatten().collect()
    }

    /// Returns a sentence saying that the number's other form is searched too, without naming a number.
    pub(crate) fn also(&self) -> Option<&'static str> {
        two_forms(&self.0).map(|(_, words)| words)
    }

    /// Returns the name as Meta writes it.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// Whether this has the form of Meta's names; notices are searched for such names only.
    pub(crate) fn has_metas_form(&self) -> bool {
        personal_names::is_number(&self.0) || personal_names::is_user_id(&self.0)
    }

    /// Whether no notice of Meta's names this person: the number is too short for WhatsApp.
    pub(crate) fn is_unknown_to_meta(&self) -> bool {
        self.0.len() < SHORTEST_AT_META && self.0.bytes().all(|letter| letter.is_ascii_digit())
    }

    /// Wraps a name that comes from Meta.
    pub(crate) fn of_meta(name: &str) -> Self {
        Self(name.to_owned())
    }
}

/// Returns the other form of a mobile number that has two, with a sentence about the two forms.
///
/// Meta knows a person by the form they registered with; they may give the other one.
fn two_forms(number: &str) -> Option<(String, &'static str)> {
    let is_number = number.bytes().all(|letter| letter.is_ascii_digit());
    let (country, rest) = number.split_at_checked(2).filter(|_| is_number)?;
    let with = |at: usize, digit: &str| format!("{country}{}{digit}{}", &rest[..at], &rest[at..]);
    let without = |at: usize| format!("{country}{}{}", &rest[..at], &rest[at + 1..]);
    let digit = |at: usize| rest.as_bytes().get(at).copied().unwrap_or_default();
    Some(match (country, rest.len()) {
        // Landlines begin with 2 to 5 and have one form only.
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
    /// Hides the name, so that debug output and logs never hold it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person")
    }
}

impl Pseudonymizer {
    /// Fetches the pseudonym keys, and the current and previous control API key: a stack without pseudonym keys uses those.
    ///
    /// # Errors
    /// When a secret cannot be fetched.
    pub(crate) async fn fetch(keys: &SecretArgs, common: &Common) -> anyhow::Result<Self> {
        let config = service::cloud::config().await;
        let secret = Secret::<MediaSecret>::fetch(&config, &keys.media_secret(common)).await;
        let secret =
            secret.context("cannot compute users' pseudonyms: media secret (--media-secret)")?.value();
        let pseudonym_keys = PseudonymKeys::fetch(&config, &keys.mark_secret(common)).await;
        let pseudonym_keys =
            pseudonym_keys.context("cannot compute users' pseudonyms: pseudonym key (--mark-secret)")?;
        let control_keys = [Some(&secret.door_key), secret.previous_door_key.as_ref()].into_iter().flatten();
        let keys = pseudonym_keys.iter().flat_map(PseudonymKeys::all).chain(control_keys);
        let keys = keys.filter(|key| !key.expose_secret().is_empty()).cloned().collect();
        Ok(Self { keys, made_at_ms: pseudonym_keys.map(|keys| keys.made_at_ms) })
    }

    /// Returns the name's pseudonyms, one for each key.
    pub(crate) fn pseudonyms(&self, person: &Person) -> BTreeSet<String> {
        let pseudonym =
            |key: &SecretString| store::pseudonym::of(key.expose_secret().as_bytes(), person.name());
        self.keys.iter().map(pseudonym).collect()
    }

    /// Returns when the pseudonym key was made, in ms since 1970; older pseudonyms may be under a lost key. `None` without such a key.
    pub(crate) fn made_at_ms(&self) -> Option<u64> {
        self.made_at_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_its_digits_whatever_stands_between_them() {
        for typed in ["919900000001", "+91 99000 00001", "0091-99000-00001", " (91) 99000.00001 "] {
            assert_eq!(Person::read(typed).unwrap().name(), "919900000001", "{typed}");
        }
    }

    #[test]
    fn either_form_of_a_number_leads_to_both() {
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
    fn a_user_id_is_read_as_typed_and_other_text_is_refused() {
        assert_eq!(Person::read("US.13491208655302741918").unwrap().name(), "US.13491208655302741918");
        assert!(Person::read("").is_err() && Person::read("two words").is_err());
        assert!(Person::read("+52 12").is_err(), "too short for a phone number");
        let extension = Person::read("12345").unwrap();
        assert!(extension.is_unknown_to_meta() && !extension.has_metas_form());
        assert!(
            !Person::read("connect").unwrap().has_metas_form()
                && Person::read("US.13491").unwrap().has_metas_form()
        );
    }

    #[test]
    fn debug_output_hides_the_name() {
        assert_eq!(format!("{:?}", Person::read("919900000001")), "Ok(Person)");
    }
}
