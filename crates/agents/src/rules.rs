//! Small rules that many fields share.

use crate::error::Fault;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A text that says something, and is not too long.
pub(crate) fn text(field: &str, value: &str, longest: usize) -> Result<(), Fault> {
    if value.trim().is_empty() {
        return Err(Fault::new(field, "is empty"));
    }
    let length = value.chars().count();
    if length > longest {
        return Err(Fault::new(field, format!("has {length} characters; at most {longest} are allowed")));
    }
    if value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(Fault::new(field, "holds a control character"));
    }
    Ok(())
}

/// A number within bounds. `unit` is empty, or such as ` ms`.
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

/// Milliseconds within bounds.
pub(crate) fn ms(field: &str, value: u64, bounds: RangeInclusive<u64>) -> Result<Duration, Fault> {
    within(field, value, bounds, " ms").map(Duration::from_millis)
}

/// Seconds within bounds.
pub(crate) fn seconds(field: &str, value: u64, bounds: RangeInclusive<u64>) -> Result<Duration, Fault> {
    within(field, value, bounds, " s").map(Duration::from_secs)
}

/// A name as vendors take it for tools: `^[a-zA-Z0-9_-]{1,64}$`.
pub(crate) fn name(field: &str, value: &str) -> Result<(), Fault> {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if (1..=64).contains(&value.len()) && value.bytes().all(is_fit) {
        return Ok(());
    }
    Err(Fault::new(field, "must be 1 to 64 letters, digits, _ or -"))
}

/// At most so many of something.
pub(crate) fn at_most(field: &str, count: usize, most: usize) -> Result<(), Fault> {
    if count > most {
        return Err(Fault::new(field, format!("has {count} entries; at most {most} are allowed")));
    }
    Ok(())
}
