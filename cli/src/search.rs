//! Looks for calls: newest first, in the list that fits the question best, never by a scan.

use crate::figures::{begin_of, day, short};
use internal_api::keys;
use std::cmp::Reverse;
use store::{CallListing, CallQuery, Store, TimeRange};

/// A day, ms.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// So many days are looked at when neither a number nor a user nor a day is named.
const DAYS: u64 = 31;

/// So many calls are asked for at once.
const PAGE: usize = 50;

/// Which calls are looked for.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Only those to this number.
    pub number: Option<String>,
    /// Only those of this day, `yyyy-mm-dd` in UTC.
    pub day: Option<String>,
    /// Only those of the user with these marks; `None`: of any user.
    pub marks: Option<Vec<String>>,
    /// Only those that ended like this.
    pub ending: Option<String>,
    /// Only those before this cursor.
    pub after: Option<Cursor>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The calls, newest first.
    pub calls: Vec<CallListing>,
    /// Where to go on, if there are more.
    pub next: Option<Cursor>,
    /// The first day that was looked at, `yyyy-mm-dd` in UTC: what rang before was not. Nothing where all was looked at.
    pub since: Option<String>,
}

/// A place in the list of calls: when a call rang, and the beginning of its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    rang_at_ms: u64,
    name: String,
}

impl Search {
    /// Looks until so many are found.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn run(&self, ledger: &Store, at_most: usize, now_ms: u64) -> anyhow::Result<Found> {
        if let Some(marks) = &self.marks {
            return self.of_user(ledger, marks, at_most).await;
        }
        let mut calls = vec![];
        let lists = self.lists(now_ms);
        let since = match (lists.last(), &self.day) {
            (Some(CallQuery::On(day)), None) => Some(day.clone()),
            (Some(CallQuery::On(_) | CallQuery::Of(_) | CallQuery::By(_)) | None, _) => None,
        };
        for which in lists {
            let mut before = self.after.as_ref().map(Cursor::place);
            loop {
                let page = ledger.calls(&which, self.within(), before.as_deref(), PAGE).await?;
                let is_last = page.len() < PAGE;
                before = page.last().map(CallListing::place);
                calls.extend(page.into_iter().filter(|call| self.wants(call)));
                if calls.len() > at_most {
                    calls.truncate(at_most);
                    let next = calls.last().map(Cursor::of);
                    return Ok(Found { calls, next, since });
                }
                if is_last {
                    break;
                }
            }
        }
        Ok(Found { calls, next: None, since })
    }

    /// Of a person with several marks the newest of all lists, each call once.
    async fn of_user(&self, ledger: &Store, marks: &[String], at_most: usize) -> anyhow::Result<Found> {
        let mut calls = vec![];
        for mark in marks {
            let (which, mut before) = (CallQuery::By(mark.clone()), self.after.as_ref().map(Cursor::place));
            let mut wanted = vec![];
            while wanted.len() <= at_most {
                let page = ledger.calls(&which, self.within(), before.as_deref(), PAGE).await?;
                let is_last = page.len() < PAGE;
                before = page.last().map(CallListing::place);
                wanted.extend(page.into_iter().filter(|call| self.wants(call)));
                if is_last {
                    break;
                }
            }
            calls.extend(wanted);
        }
        calls.sort_by_key(|call: &CallListing| Reverse(call.place()));
        calls.dedup_by(|one, other| one.call_ref == other.call_ref);
        let next = if calls.len() > at_most {
            calls.truncate(at_most);
            calls.last().map(Cursor::of)
        } else {
            None
        };
        Ok(Found { calls, next, since: None })
    }

    /// The lists to look into, one after the other: days only if nothing narrower is known.
    fn lists(&self, now_ms: u64) -> Vec<CallQuery> {
        match (&self.number, &self.day) {
            (Some(number), _) => vec![CallQuery::Of(number.clone())],
            (None, Some(day)) => vec![CallQuery::On(day.clone())],
            (None, None) => {
                let from_ms = self.after.as_ref().map_or(now_ms, |after| after.rang_at_ms);
                let days = (0..DAYS).map(|back| day(from_ms.saturating_sub(back * DAY_MS)));
                days.map(CallQuery::On).collect()
            }
        }
    }

    fn within(&self) -> Option<TimeRange> {
        let from_ms = begin_of(self.day.as_deref()?)?;
        Some(TimeRange { from_ms, to_ms: from_ms + DAY_MS - 1 })
    }

    fn wants(&self, call: &CallListing) -> bool {
        let is_to = self.number.as_ref().is_none_or(|number| *number == call.number);
        is_to && self.ending.as_ref().is_none_or(|ending| call.ending.as_ref() == Some(ending))
    }
}

impl Cursor {
    fn of(call: &CallListing) -> Self {
        Self { rang_at_ms: call.rang_at_ms, name: short(&call.call_ref).to_owned() }
    }

    /// Sorts just before its call: a name sorts behind its beginning.
    fn place(&self) -> String {
        keys::rang(self.rang_at_ms, &self.name)
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.rang_at_ms, self.name)
    }
}

impl std::str::FromStr for Cursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (rang_at_ms, name) = text.split_once('.')?;
            let is_name = name.chars().all(|letter| letter.is_ascii_hexdigit());
            is_name.then_some(Self { rang_at_ms: rang_at_ms.parse().ok()?, name: name.to_owned() })
        };
        read().ok_or_else(|| "take it from the end of the list before".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_is_written() {
        let cursor: Cursor = "1795305600000.ab12cd34ef56".parse().unwrap();

        assert_eq!(cursor.to_string(), "1795305600000.ab12cd34ef56");
        assert!("yesterday".parse::<Cursor>().is_err());
    }

    #[test]
    fn days_are_walked_backwards_from_the_cursor() {
        let after = Some("1795305600000.ab12".parse().unwrap());

        let lists = Search { after, ..Search::default() }.lists(1_800_000_000_000);

        assert_eq!(lists[..2], [CallQuery::On("2026-11-22".into()), CallQuery::On("2026-11-21".into())]);
        assert_eq!(lists.len(), 31);
    }
}
