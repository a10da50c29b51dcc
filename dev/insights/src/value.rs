//! Values of fields, and operations on them.

use crate::Wrong;
use serde_json::Value as Json;
use std::cmp::Ordering;
use std::fmt;

/// What a field of a log line or of a result holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing: the line has no such field.
    Missing,
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// Whether a condition holds; no field has this.
    Truth(bool),
}

impl Value {
    /// A field's value.
    ///
    /// # Errors
    /// When it is of a kind of which it is not documented what CloudWatch makes of it.
    pub(crate) fn of(name: &str, json: Option<&Json>) -> Result<Self, Wrong> {
        match json {
            None | Some(Json::Null) => Ok(Self::Missing),
            Some(Json::Number(number)) => Ok(Self::Number(number.as_f64().unwrap_or_default())),
            Some(Json::String(text)) => Ok(Self::Text(text.clone())),
            Some(Json::Bool(_) | Json::Array(_) | Json::Object(_)) => {
                Err(Wrong::Value(format!("{name} is neither a number nor a text")))
            }
        }
    }

    /// As a number; nothing of what is missing.
    pub(crate) fn number(&self) -> Result<Option<f64>, Wrong> {
        match self {
            Self::Missing => Ok(None),
            Self::Number(number) => Ok(Some(*number)),
            Self::Text(text) => Err(Wrong::Value(format!("{text:?} is no number"))),
            Self::Truth(_) => Err(Wrong::Value("a condition is no number".into())),
        }
    }

    pub(crate) fn truth(&self) -> Result<bool, Wrong> {
        match self {
            Self::Truth(truth) => Ok(*truth),
            other => Err(Wrong::Value(format!("{other} is no condition"))),
        }
    }

    /// How two values compare; nothing where one is missing. A number and a text do not.
    pub(crate) fn compare(&self, other: &Self) -> Result<Option<Ordering>, Wrong> {
        match (self, other) {
            (Self::Missing, _) | (_, Self::Missing) => Ok(None),
            (Self::Number(one), Self::Number(other)) => Ok(one.partial_cmp(other)),
            (Self::Text(one), Self::Text(other)) => Ok(Some(one.cmp(other))),
            (one, other) => Err(Wrong::Value(format!("{one} does not compare with {other}"))),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => Ok(()),
            // As many decimals as say something, four at most.
            Self::Number(number) => write!(f, "{}", (number * 1e4).round() / 1e4),
            Self::Text(text) => f.write_str(text),
            Self::Truth(truth) => write!(f, "{truth}"),
        }
    }
}
