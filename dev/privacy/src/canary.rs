//! Texts that are known to be secret: each with a name, by which a leak is told.

use crate::number;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::fmt;

/// Of fewer letters nothing can be told.
const SHORTEST: usize = 4;

/// The fewest letters whose hexadecimal and base64 are told from a hash and a token.
const SHORTEST_ENCODED: usize = 8;

/// How the signing secrets of webhooks begin (Standard Webhooks).
const SIGNING: &str = "whsec_";

/// A secret, and how it is recognised.
#[derive(Clone)]
pub(crate) struct Canary {
    pub(crate) name: String,
    form: Form,
}

#[derive(Clone)]
enum Form {
    Text(String),
    Number(Vec<String>),
}

impl Canary {
    /// Returns the canary of a text, unless it is too short.
    pub(crate) fn text(name: &str, text: &str) -> Option<Self> {
        let form = Form::Text(text.to_owned());
        (text.len() >= SHORTEST).then(|| Self { name: name.to_owned(), form })
    }

    /// Returns the canaries of a key: its text, the bytes that it stands for as text, and both in hexadecimal.
    pub(crate) fn key(name: &str, key: &str) -> Vec<Self> {
        let bare = key.strip_prefix(SIGNING).unwrap_or(key);
        let engines = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE_NO_PAD];
        let decoded = engines.into_iter().find_map(|engine| engine.decode(bare).ok());
        let mut texts = vec![key.to_owned(), bare.to_owned(), hex::encode(key), hex::encode(bare)];
        if let Some(decoded) = decoded {
            texts.push(hex::encode(&decoded));
            texts.extend(String::from_utf8(decoded));
        }
        let in_capitals: Vec<_> = texts[2..].iter().map(|text| text.to_uppercase()).collect();
        texts.extend(in_capitals);
        texts.sort();
        texts.dedup();
        texts.iter().filter_map(|text| Self::text(name, text)).collect()
    }

    /// Returns the canaries of what a person is called or has sent: the text, and unless it is short, its bytes in hexadecimal and base64.
    pub(crate) fn personal(name: &str, text: &str) -> Vec<Self> {
        let mut texts = vec![text.to_owned()];
        if text.len() >= SHORTEST_ENCODED {
            texts.extend([hex::encode(text), hex::encode(text).to_uppercase()]);
            texts.extend([STANDARD_NO_PAD.encode(text), URL_SAFE_NO_PAD.encode(text)]);
        }
        texts.dedup();
        texts.iter().filter_map(|text| Self::text(name, text)).collect()
    }

    /// Returns the canary of a telephone number.
    pub(crate) fn number(name: &str, country: &str, national: &str) -> Self {
        Self { name: name.to_owned(), form: Form::Number(number::forms(country, national)) }
    }

    /// Whether a line has it.
    pub(crate) fn is_in(&self, line: &str) -> bool {
        match &self.form {
            Form::Text(text) => line.contains(text),
            Form::Number(forms) => number::is_in(line, forms),
        }
    }
}

impl fmt::Debug for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
