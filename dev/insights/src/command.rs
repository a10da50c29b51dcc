//! The commands that a query is made of, and what they ask of log lines.

use crate::aggregate::Aggregate;
use crate::expression::Expression;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Command {
    /// Adds fields, and shows these alone.
    Fields(Vec<Named>),
    /// Shows these fields alone.
    Display(Vec<String>),
    /// Keeps the lines of which it holds.
    Filter(Expression),
    /// Makes one row of each group of lines.
    Stats { of: Vec<(Aggregate, String)>, by: Vec<String> },
    /// Puts rows in order; whether each field is descending.
    Sort(Vec<(String, bool)>),
    /// Keeps this many.
    Limit(usize),
}

/// Something computed, and its name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Named {
    pub what: Expression,
    pub name: String,
}

pub(crate) fn fields(commands: &[Command]) -> Vec<String> {
    let (mut own, mut asked) = (vec![], vec![]);
    for command in commands {
        let mut see = |name: &str| {
            if !own.contains(&name.to_owned()) && !asked.contains(&name.to_owned()) {
                asked.push(name.to_owned());
            }
        };
        match command {
            Command::Fields(named) => {
                named.iter().for_each(|named| named.what.each_field(&mut see));
                own.extend(named.iter().map(|named| named.name.clone()));
            }
            Command::Display(names) => names.iter().for_each(|name| see(name)),
            Command::Filter(condition) => condition.each_field(&mut see),
            Command::Stats { of, by } => {
                by.iter().for_each(|name| see(name));
                of.iter()
                    .filter_map(|(aggregate, _)| aggregate.of.as_ref())
                    .for_each(|of| of.each_field(&mut see));
                own.extend(of.iter().map(|(_, name)| name.clone()));
            }
            Command::Sort(by) => by.iter().for_each(|(name, _)| see(name)),
            Command::Limit(_) => {}
        }
        // A field that is shown under its own name is a line's all the same.
        own.retain(|name| !asked.contains(name));
    }
    asked
}
