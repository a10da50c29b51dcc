//! Expressions over one line: fields, arithmetic, conditions, a few functions.

use crate::{Value, Wrong};
use jiff::Timestamp;
use std::cmp::Ordering;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    Field(String),
    Constant(Value),
    /// The line's time, rounded down to so many ms.
    Bin(f64),
    IsPresent(String),
    Coalesce(Vec<Expression>),
    In(Box<Expression>, Vec<Value>),
    Not(Box<Expression>),
    Two(Operator, Box<Expression>, Box<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    /// They compare like this: less, equal, greater.
    Compare([bool; 3]),
    Plus,
    Minus,
    Times,
    Per,
}

impl Expression {
    /// What it is, where `field` knows fields.
    pub(crate) fn value(&self, field: &impl Fn(&str) -> Result<Value, Wrong>) -> Result<Value, Wrong> {
        Ok(match self {
            Self::Field(name) => field(name)?,
            Self::Constant(value) => value.clone(),
            Self::Bin(period) => match field("at_ms")?.number()? {
                Some(at_ms) => Value::Text(written((at_ms / period).floor() * period)),
                None => Value::Missing,
            },
            Self::IsPresent(name) => Value::Truth(field(name)? != Value::Missing),
            Self::Coalesce(of) => {
                let values = of.iter().map(|one| one.value(field)).collect::<Result<Vec<_>, _>>()?;
                values.into_iter().find(|value| *value != Value::Missing).unwrap_or(Value::Missing)
            }
            Self::In(one, of) => {
                let one = one.value(field)?;
                let is_it = of.iter().map(|other| Ok(one.compare(other)? == Some(Ordering::Equal)));
                Value::Truth(is_it.collect::<Result<Vec<_>, Wrong>>()?.contains(&true))
            }
            Self::Not(one) => Value::Truth(!one.value(field)?.truth()?),
            Self::Two(operator, one, other) => operator.join(&one.value(field)?, &other.value(field)?)?,
        })
    }

    /// Calls `see` with every field it asks for.
    pub(crate) fn each_field(&self, see: &mut impl FnMut(&str)) {
        match self {
            Self::Field(name) | Self::IsPresent(name) => see(name),
            Self::Constant(_) => {}
            Self::Bin(_) => see("at_ms"),
            Self::Coalesce(of) => of.iter().for_each(|one| one.each_field(see)),
            Self::In(one, _) | Self::Not(one) => one.each_field(see),
            Self::Two(_, one, other) => {
                one.each_field(see);
                other.each_field(see);
            }
        }
    }
}

impl Operator {
    /// A comparison with what is missing does not hold, and what is computed of it is missing.
    fn join(self, one: &Value, other: &Value) -> Result<Value, Wrong> {
        let compute = |how: fn(f64, f64) -> f64| {
            let both = one.number()?.zip(other.number()?);
            Ok(both.map_or(Value::Missing, |(one, other)| Value::Number(how(one, other))))
        };
        match self {
            Self::Or => Ok(Value::Truth(one.truth()? || other.truth()?)),
            Self::And => Ok(Value::Truth(one.truth()? && other.truth()?)),
            Self::Compare([less, equal, greater]) => Ok(Value::Truth(match one.compare(other)? {
                Some(Ordering::Less) => less,
                Some(Ordering::Equal) => equal,
                Some(Ordering::Greater) => greater,
                None => false,
            })),
            Self::Plus => compute(|one, other| one + other),
            Self::Minus => compute(|one, other| one - other),
            Self::Times => compute(|one, other| one * other),
            Self::Per => compute(|one, other| one / other),
        }
    }
}

/// A time as CloudWatch writes it.
fn written(at_ms: f64) -> String {
    let at = Timestamp::from_millisecond(at_ms as i64).unwrap_or_default();
    at.strftime("%Y-%m-%d %H:%M:%S.%3f").to_string()
}
