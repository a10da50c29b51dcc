//! Validation rules shared by many fields.

use crate::error::Fault;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The maximum size of an agent file, in bytes.
pub const LARGEST: usize = 32 * 1024;

/// Checks that a text is not empty, not too long, and without control characters.
pub(crate) fn text(field: &str, value: &str, longest: usize) -> Result<(), Fault> {
    if value.trim().is_empty() {
        return Err(Fault::new(field, "is empty"));
    }
    let length = value.chars().count();
    if length > longest {
        return Err(Fault::new(field, format!("has {length} characters; at most {longest} are allowed")));
    }
    if value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(Fault::new(field, "contains a control character"));
    }
    Ok(())
}

/// Checks that a number is within bounds. `unit` is empty, or such as ` ms`.
pub(crate) fn within<T: PartialOrd + Display>(
    field: &str,
    value: T,
    bounds: RangeInclusive<T>,
    unit: &str,
) -> Result<T, Fault> {
    if bounds.contains(&value) {
        return Ok(value);
    }
    Err(Fault::new(field, format!("must be {} to {}{unit}", bounds.start(), bounds.end())))
}

pub(crate) fn ms(field: &str, value: u64, bounds: RangeInclusive<u64>) -> Result<Duration, Fault> {
    within(field, value, bounds, " ms").map(Duration::from_millis)
}

pub(crate) fn seconds(field: &str, value: u64, bounds: RangeInclusive<u64>) -> Result<Duration, Fault> {
    within(field, value, bounds, " s").map(Duration::from_secs)
}

/// Checks a tool name by OpenAI's rule: `^[a-zA-Z0-9_-]{1,64}$`.
pub(crate) fn name(field: &str, value: &str) -> Result<(), Fault> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if (1..=64).contains(&value.len()) && value.bytes().all(is_allowed) {
        return Ok(());
    }
    Err(Fault::new(field, "must be 1 to 64 letters, digits, _ or -"))
}

/// Checks the number of entries of a list.
pub(crate) fn at_most(field: &str, count: usize, most: usize) -> Result<(), Fault> {
    if count > most {
        return Err(Fault::new(field, format!("has {count} entries; at most {most} are allowed")));
    }
    Ok(())
}
