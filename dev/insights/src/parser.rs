//! Reads a query: commands, one after the other.

use crate::aggregate::{Aggregate, How};
use crate::command::{Command, Named};
use crate::expression::{Expression, Operator};
use crate::lexer::{Token, tokens};
use crate::{Value, Wrong};

pub(crate) fn parse(text: &str) -> Result<Vec<Command>, Wrong> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0 };
    let mut commands = vec![parser.command()?];
    while parser.takes("|") {
        commands.push(parser.command()?);
    }
    match parser.peek() {
        None => Ok(commands),
        Some(_) => Err(parser.expected("| or the end")),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn command(&mut self) -> Result<Command, Wrong> {
        match self.word("a command")?.as_str() {
            "fields" => self.list(Self::named).map(Command::Fields),
            "display" => self.list(|parser| parser.word("a field")).map(Command::Display),
            "filter" => self.condition().map(Command::Filter),
            "stats" => {
                let of = self.list(Self::aggregate)?;
                let by = if self.takes("by") { self.list(|parser| parser.word("a field"))? } else { vec![] };
                Ok(Command::Stats { of, by })
            }
            "sort" => self.list(Self::order).map(Command::Sort),
            "limit" => match self.next() {
                Some(Token::Number(most)) => Ok(Command::Limit(most as usize)),
                _ => Err(self.back("a number")),
            },
            _ => Err(self.back("a command that is known here")),
        }
    }

    fn named(&mut self) -> Result<Named, Wrong> {
        let what = self.sum()?;
        let name = match (self.takes("as"), &what) {
            (true, _) => self.word("a name")?,
            (false, Expression::Field(name)) => name.clone(),
            (false, _) => return Err(self.expected("as and a name")),
        };
        Ok(Named { what, name })
    }

    /// What it computes must be named: CloudWatch's default names are not played.
    fn aggregate(&mut self) -> Result<(Aggregate, String), Wrong> {
        let function = self.word("a function of many lines")?;
        self.needs("(")?;
        let of = if function == "count" && self.takes("*") { None } else { Some(self.sum()?) };
        let how = match function.as_str() {
            "count" => How::Count,
            "count_distinct" => How::CountDistinct,
            "sum" => How::Sum,
            "avg" => How::Avg,
            "min" => How::Min,
            "max" => How::Max,
            "pct" => {
                self.needs(",")?;
                match self.next() {
                    Some(Token::Number(percent)) => How::Pct(percent),
                    _ => return Err(self.back("a percentage")),
                }
            }
            _ => return Err(Wrong::Unexpected { expected: "a function of many lines", found: function }),
        };
        self.needs(")")?;
        self.needs("as")?;
        Ok((Aggregate { how, of }, self.word("a name")?))
    }

    fn order(&mut self) -> Result<(String, bool), Wrong> {
        let name = self.word("a field")?;
        if self.takes("desc") {
            return Ok((name, true));
        }
        self.needs("asc")?;
        Ok((name, false))
    }

    fn condition(&mut self) -> Result<Expression, Wrong> {
        let mut all = self.both()?;
        while self.takes("or") {
            all = Expression::Two(Operator::Or, Box::new(all), Box::new(self.both()?));
        }
        Ok(all)
    }

    fn both(&mut self) -> Result<Expression, Wrong> {
        let mut all = self.comparison()?;
        while self.takes("and") {
            all = Expression::Two(Operator::And, Box::new(all), Box::new(self.comparison()?));
        }
        Ok(all)
    }

    fn comparison(&mut self) -> Result<Expression, Wrong> {
        if self.takes("not") {
            return Ok(Expression::Not(Box::new(self.comparison()?)));
        }
        let one = self.sum()?;
        if self.takes("in") {
            self.needs("[")?;
            let of = self.list(Self::constant)?;
            self.needs("]")?;
            return Ok(Expression::In(Box::new(one), of));
        }
        let signs = [
            ("=", [false, true, false]),
            ("!=", [true, false, true]),
            ("<", [true, false, false]),
            ("<=", [true, true, false]),
            (">", [false, false, true]),
            (">=", [false, true, true]),
        ];
        match signs.into_iter().find(|(sign, _)| self.takes(sign)) {
            Some((_, holds)) => {
                Ok(Expression::Two(Operator::Compare(holds), Box::new(one), Box::new(self.sum()?)))
            }
            None => Ok(one),
        }
    }

    fn sum(&mut self) -> Result<Expression, Wrong> {
        self.joined(&[("+", Operator::Plus), ("-", Operator::Minus)], |parser| {
            parser.joined(&[("*", Operator::Times), ("/", Operator::Per)], Self::single)
        })
    }

    fn joined(
        &mut self,
        signs: &[(&str, Operator)],
        part: impl Fn(&mut Self) -> Result<Expression, Wrong>,
    ) -> Result<Expression, Wrong> {
        let mut all = part(self)?;
        while let Some((_, operator)) = signs.iter().find(|(sign, _)| self.takes(sign)) {
            all = Expression::Two(*operator, Box::new(all), Box::new(part(self)?));
        }
        Ok(all)
    }

    fn single(&mut self) -> Result<Expression, Wrong> {
        if self.takes("(") {
            let inside = self.condition()?;
            self.needs(")")?;
            return Ok(inside);
        }
        match self.next() {
            Some(Token::Number(number)) => Ok(Expression::Constant(Value::Number(number))),
            Some(Token::Text(text)) => Ok(Expression::Constant(Value::Text(text))),
            Some(Token::Word(name)) if self.takes("(") => self.call(&name),
            Some(Token::Word(name)) => Ok(Expression::Field(name)),
            Some(Token::Period(_) | Token::Sign(_)) | None => Err(self.back("a field or a value")),
        }
    }

    fn call(&mut self, function: &str) -> Result<Expression, Wrong> {
        let call = match function {
            "bin" => match self.next() {
                Some(Token::Period(ms)) => Expression::Bin(ms),
                _ => return Err(self.back("a length of time")),
            },
            "ispresent" => Expression::IsPresent(self.word("a field")?),
            "coalesce" => Expression::Coalesce(self.list(Self::sum)?),
            other => {
                return Err(Wrong::Unexpected {
                    expected: "a function that is known here",
                    found: other.to_owned(),
                });
            }
        };
        self.needs(")")?;
        Ok(call)
    }

    fn constant(&mut self) -> Result<Value, Wrong> {
        match self.next() {
            Some(Token::Number(number)) => Ok(Value::Number(number)),
            Some(Token::Text(text)) => Ok(Value::Text(text)),
            Some(Token::Word(_) | Token::Period(_) | Token::Sign(_)) | None => Err(self.back("a value")),
        }
    }

    fn list<T>(&mut self, one: impl Fn(&mut Self) -> Result<T, Wrong>) -> Result<Vec<T>, Wrong> {
        let mut all = vec![one(self)?];
        while self.takes(",") {
            all.push(one(self)?);
        }
        Ok(all)
    }

    fn word(&mut self, expected: &'static str) -> Result<String, Wrong> {
        match self.next() {
            Some(Token::Word(word)) => Ok(word),
            Some(Token::Text(_) | Token::Number(_) | Token::Period(_) | Token::Sign(_)) | None => {
                Err(self.back(expected))
            }
        }
    }

    /// Goes past this word or sign, if it comes next.
    fn takes(&mut self, wanted: &str) -> bool {
        let is_it = match self.peek() {
            Some(Token::Word(word)) => word == wanted,
            Some(Token::Sign(sign)) => *sign == wanted,
            Some(Token::Text(_) | Token::Number(_) | Token::Period(_)) | None => false,
        };
        self.at += usize::from(is_it);
        is_it
    }

    fn needs(&mut self, wanted: &'static str) -> Result<(), Wrong> {
        if self.takes(wanted) { Ok(()) } else { Err(self.expected(wanted)) }
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    /// What was just taken is not what should be there.
    fn back(&mut self, expected: &'static str) -> Wrong {
        self.at -= 1;
        self.expected(expected)
    }

    fn expected(&self, expected: &'static str) -> Wrong {
        let found = self.peek().map_or_else(|| "the end".to_owned(), |token| format!("{token:?}"));
        Wrong::Unexpected { expected, found }
    }
}
