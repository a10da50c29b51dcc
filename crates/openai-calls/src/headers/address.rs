//! Addresses in the value of a SIP header: `"Name" <sip:user@host>;tag=1`, `sip:user@host`, `<tel:+356…>`, several with commas between them.

use crate::digits;

/// The longest display name that is kept, in characters.
const LONGEST_NAME: usize = 512;

/// The addresses in a value, in order.
pub(super) struct Addresses<'a> {
    rest: &'a str,
}

/// One address, with its name and parameters.
pub(super) struct Address<'a>(&'a str);

impl<'a> Addresses<'a> {
    pub(super) fn of(value: &'a str) -> Self {
        Self { rest: value }
    }
}

impl<'a> Iterator for Addresses<'a> {
    type Item = Address<'a>;

    fn next(&mut self) -> Option<Address<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let end = find(self.rest, ',', Within::Brackets).unwrap_or(self.rest.len());
        let address = &self.rest[..end];
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        Some(Address(address.trim()))
    }
}

impl Address<'_> {
    /// Returns the digits of the number in it; `None` for a name, a number that is withheld, or anything else.
    pub(super) fn number(&self) -> Option<String> {
        let uri = self.uri();
        let (scheme, rest) = uri.split_once(':')?;
        let user = match scheme.to_ascii_lowercase().as_str() {
            "tel" => rest,
            "sip" | "sips" => {
                let (user, host) = rest.split_once('@')?;
                if is_withheld(host) {
                    return None;
                }
                // A password follows the user after a colon.
                user.split(':').next()?
            }
            _ => return None,
        };
        digits(user.split(';').next()?)
    }

    /// Returns the display name before the angle bracket, without its quotes; `None` without one, or where the caller is withheld.
    pub(super) fn name(&self) -> Option<String> {
        self.number()?;
        let before = self.0[..find(self.0, '<', Within::Quotes)?].trim();
        let name = match before.strip_prefix('"') {
            Some(quoted) => unescaped(quoted),
            None => before.to_owned(),
        };
        let name: String = name.chars().filter(|letter| !is_control(*letter)).take(LONGEST_NAME).collect();
        let name = name.trim();
        (!name.is_empty() && !name.eq_ignore_ascii_case("anonymous")).then(|| name.to_owned())
    }

    /// Returns what is between angle brackets, else what is before the parameters.
    fn uri(&self) -> &str {
        let Some(start) = find(self.0, '<', Within::Quotes) else {
            return self.0.split(';').next().unwrap_or_default().trim();
        };
        let inside = &self.0[start + 1..];
        inside.split('>').next().unwrap_or_default().trim()
    }
}

/// Whether the host is one that hides the caller, such as `anonymous.invalid` (RFC 3261, 8.1.1.3).
fn is_withheld(host: &str) -> bool {
    let name = host.split([':', ';', '?']).next().unwrap_or_default().trim_end_matches('.');
    name.len() >= 7
        && name.is_char_boundary(name.len() - 7)
        && name[name.len() - 7..].eq_ignore_ascii_case("invalid")
}

/// Returns what is before the closing quote; a backslash takes the next letter as it is.
fn unescaped(quoted: &str) -> String {
    let (mut name, mut letters) = (String::new(), quoted.chars());
    while let Some(letter) = letters.next().filter(|letter| *letter != '"') {
        name.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    name
}

/// Whether a letter breaks a line, or changes the direction of what follows.
fn is_control(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}' | '\u{feff}')
        || letter.is_control()
}

/// What a letter does not count in.
#[derive(PartialEq, Eq)]
enum Within {
    /// Quotes.
    Quotes,
    /// Quotes and angle brackets.
    Brackets,
}

/// Returns where a letter first stands outside quotes, and outside angle brackets if those are to be skipped.
fn find(text: &str, wanted: char, skipped: Within) -> Option<usize> {
    let (mut is_quoted, mut is_escaped, mut is_bracketed) = (false, false, false);
    for (at, letter) in text.char_indices() {
        if is_escaped {
            is_escaped = false;
            continue;
        }
        match letter {
            '\\' if is_quoted => is_escaped = true,
            '"' if !is_bracketed => is_quoted = !is_quoted,
            _ if is_quoted => {}
            _ if letter == wanted && !is_bracketed => return Some(at),
            '<' => is_bracketed = skipped == Within::Brackets,
            '>' => is_bracketed = false,
            _ => {}
        }
    }
    None
}
