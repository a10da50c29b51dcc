//! Splits a query's text into tokens.

use crate::Wrong;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    /// A command, function, field or operator in letters.
    Word(String),
    Text(String),
    Number(f64),
    /// A length of time: `5m`, in ms.
    Period(f64),
    Sign(&'static str),
}

/// Longer ones first.
const SIGNS: [&str; 16] = ["!=", "<=", ">=", "|", ",", "(", ")", "[", "]", "=", "<", ">", "+", "-", "*", "/"];

/// The words of a text, without its comments.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, Wrong> {
    let mut tokens = vec![];
    for (n, line) in text.lines().enumerate() {
        let mut rest = line.trim_start();
        while !rest.is_empty() && !rest.starts_with('#') {
            let (token, after) =
                next(rest).ok_or_else(|| Wrong::Letter { letter: first(rest), line: n + 1 })?;
            tokens.push(token);
            rest = after.trim_start();
        }
    }
    Ok(tokens)
}

fn next(text: &str) -> Option<(Token, &str)> {
    match first(text) {
        '"' => {
            let (inside, after) = text[1..].split_once('"')?;
            Some((Token::Text(inside.to_owned()), after))
        }
        letter if letter.is_ascii_digit() => number(text),
        letter if is_word(letter) => {
            let (word, after) = split(text, is_word);
            Some((Token::Word(word.to_owned()), after))
        }
        _ => {
            let sign = SIGNS.into_iter().find(|sign| text.starts_with(sign))?;
            Some((Token::Sign(sign), &text[sign.len()..]))
        }
    }
}

/// A number; with a unit right behind it, a length of time.
fn number(text: &str) -> Option<(Token, &str)> {
    let (digits, after) = split(text, |letter| letter.is_ascii_digit() || letter == '.');
    let number: f64 = digits.parse().ok()?;
    let (unit, after) = split(after, char::is_alphanumeric);
    let ms = match unit {
        "" => return Some((Token::Number(number), after)),
        "s" => 1e3,
        "m" => 60e3,
        "h" => 3_600e3,
        "d" => 86_400e3,
        _ => return None,
    };
    Some((Token::Period(number * ms), after))
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '@' | '.')
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|letter| !belongs(letter)).unwrap_or(text.len()))
}

fn first(text: &str) -> char {
    text.chars().next().unwrap_or_default()
}
