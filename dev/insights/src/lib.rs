//! CloudWatch Logs Insights' language, as much of it as our saved queries use, over recorded lines of the log.
//!
//! Strict: a word, a function or a value it does not know is an error, so that no query passes a test by luck. Where CloudWatch's
//! own behaviour is not documented, the query is refused as well: a boolean field, say. Percentiles are by nearest rank; CloudWatch's
//! are near them.

mod aggregate;
mod command;
mod evaluate;
mod expression;
mod lexer;
mod parser;
mod value;

pub use evaluate::Table;
pub use value::Value;

use command::Command;
use serde_json::{Map, Value as Json};

/// A query that can be run.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// What its comments say, line by line, before the first command.
    pub comments: Vec<String>,
    commands: Vec<Command>,
}

/// Why a query cannot be read or run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// A letter that begins nothing.
    #[error("line {line}: nothing begins with {letter:?}")]
    Letter {
        /// The letter.
        letter: char,
        /// Where, from 1.
        line: usize,
    },
    /// Something else should be there.
    #[error("expected {expected}, and found {found}")]
    Unexpected {
        /// What should.
        expected: &'static str,
        /// What is.
        found: String,
    },
    /// A name that nothing defines.
    #[error("{0} is not there any more after stats")]
    Gone(String),
    /// A value with which this cannot be done.
    #[error("{0}")]
    Value(String),
}

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    /// What in it is not of the language, or not of the part of it that is known here.
    pub fn read(text: &str) -> Result<Self, Wrong> {
        let comments = text.lines().map_while(|line| line.strip_prefix('#'));
        let comments = comments.map(|line| line.trim().to_owned()).collect();
        Ok(Self { comments, commands: parser::parse(text)? })
    }

    /// The fields of log lines that it asks for: not those that it makes itself.
    pub fn fields(&self) -> Vec<String> {
        command::fields(&self.commands)
    }

    /// Runs it over lines of a log, in their order. Those that are not JSON objects have no fields.
    ///
    /// # Errors
    /// When it asks of a value what cannot be done with it.
    pub fn run<'a>(&self, lines: impl IntoIterator<Item = &'a str>) -> Result<Table, Wrong> {
        let records = lines.into_iter().map(|line| match serde_json::from_str(line) {
            Ok(Json::Object(fields)) => fields,
            Ok(_) | Err(_) => Map::new(),
        });
        evaluate::run(&self.commands, records.collect())
    }
}
