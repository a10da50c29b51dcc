//! Runs a query's commands, one after the other, over what the one before it left.

use crate::command::{Command, Named};
use crate::{Value, Wrong};
use serde_json::{Map, Value as Json};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// What came of a query.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, as CloudWatch would show them: what is missing is empty.
    pub rows: Vec<Vec<String>>,
}

/// Rows that belong together, and what they have in common.
type Group = (Vec<Value>, Vec<Row>);

/// A line on its way: what it said, until `stats`, and what was computed since.
#[derive(Debug, Clone, Default)]
struct Row {
    /// `None` after `stats`: then only what was computed is there.
    line: Option<Map<String, Json>>,
    computed: BTreeMap<String, Value>,
}

impl Row {
    fn field(&self, name: &str) -> Result<Value, Wrong> {
        match (self.computed.get(name), &self.line) {
            (Some(value), _) => Ok(value.clone()),
            (None, Some(line)) => Value::of(name, line.get(name)),
            (None, None) => Err(Wrong::Gone(name.to_owned())),
        }
    }
}

pub(crate) fn run(commands: &[Command], lines: Vec<Map<String, Json>>) -> Result<Table, Wrong> {
    let rows = lines.into_iter().map(|line| Row { line: Some(line), ..Row::default() });
    let (mut rows, mut columns): (Vec<Row>, Vec<String>) = (rows.collect(), vec![]);
    for command in commands {
        match command {
            Command::Fields(named) => {
                rows = rows.into_iter().map(|row| compute(row, named)).collect::<Result<_, _>>()?;
                columns.extend(named.iter().map(|named| named.name.clone()));
            }
            Command::Display(names) => columns.clone_from(names),
            Command::Filter(condition) => {
                let mut kept = vec![];
                for row in rows {
                    if condition.value(&|name| row.field(name))?.truth()? {
                        kept.push(row);
                    }
                }
                rows = kept;
            }
            Command::Stats { of, by } => {
                rows = group(rows, by)?
                    .into_iter()
                    .map(|(key, rows)| {
                        let mut computed: BTreeMap<_, _> = by.iter().cloned().zip(key).collect();
                        for (aggregate, name) in of {
                            computed.insert(
                                name.clone(),
                                aggregate.how.make(&values(&rows, aggregate.of.as_ref())?)?,
                            );
                        }
                        Ok(Row { line: None, computed })
                    })
                    .collect::<Result<_, Wrong>>()?;
                columns = by.iter().chain(of.iter().map(|(_, name)| name)).cloned().collect();
            }
            Command::Sort(by) => rows = sort(rows, by)?,
            Command::Limit(most) => rows.truncate(*most),
        }
    }
    show(&rows, columns)
}

fn compute(mut row: Row, named: &[Named]) -> Result<Row, Wrong> {
    for Named { what, name } in named {
        let value = what.value(&|name| row.field(name))?;
        row.computed.insert(name.clone(), value);
    }
    Ok(row)
}

/// Rows that have the same values in these fields, in the order in which the first of each came.
fn group(rows: Vec<Row>, by: &[String]) -> Result<Vec<Group>, Wrong> {
    let mut groups: Vec<Group> = vec![];
    for row in rows {
        let key = by.iter().map(|name| row.field(name)).collect::<Result<Vec<_>, _>>()?;
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((key, vec![row])),
        }
    }
    Ok(groups)
}

/// What an aggregate is made of: what is missing does not count.
fn values(rows: &[Row], of: Option<&crate::expression::Expression>) -> Result<Vec<Value>, Wrong> {
    let Some(of) = of else { return Ok(vec![Value::Truth(true); rows.len()]) };
    let values = rows.iter().map(|row| of.value(&|name| row.field(name)));
    let values = values.collect::<Result<Vec<_>, _>>()?;
    Ok(values.into_iter().filter(|value| *value != Value::Missing).collect())
}

fn sort(rows: Vec<Row>, by: &[(String, bool)]) -> Result<Vec<Row>, Wrong> {
    let keyed = rows.into_iter().map(|row| {
        let key = by.iter().map(|(name, _)| row.field(name)).collect::<Result<Vec<_>, _>>()?;
        Ok((key, row))
    });
    let mut keyed = keyed.collect::<Result<Vec<_>, Wrong>>()?;
    let mut wrong = None;
    keyed.sort_by(|(one, _), (other, _)| {
        let pairs = one.iter().zip(other).zip(by);
        pairs.fold(Ordering::Equal, |so_far, ((one, other), (_, is_descending))| {
            so_far.then_with(|| match (one, other) {
                (Value::Missing, Value::Missing) => Ordering::Equal,
                (Value::Missing, _) => Ordering::Greater,
                (_, Value::Missing) => Ordering::Less,
                (one, other) => match one.compare(other) {
                    Ok(order) if *is_descending => order.unwrap_or(Ordering::Equal).reverse(),
                    Ok(order) => order.unwrap_or(Ordering::Equal),
                    Err(why) => {
                        wrong.get_or_insert(why);
                        Ordering::Equal
                    }
                },
            })
        })
    });
    match wrong {
        Some(wrong) => Err(wrong),
        None => Ok(keyed.into_iter().map(|(_, row)| row).collect()),
    }
}

fn show(rows: &[Row], columns: Vec<String>) -> Result<Table, Wrong> {
    let shown = rows.iter().map(|row| {
        columns.iter().map(|name| Ok(row.field(name)?.to_string())).collect::<Result<Vec<_>, Wrong>>()
    });
    Ok(Table { rows: shown.collect::<Result<_, _>>()?, columns })
}
