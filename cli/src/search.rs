//! Searches for calls, newest first, in the narrowest list of the index that fits; never by scanning the table.

use crate::figures::{day, short, start_of_day};
use call::{CallRef, Line, NumberId};
use std::cmp::Reverse;
use store::keys;
use store::{CallListing, CallPage, CallQuery, Store, TimeRange};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// How many days are searched when neither number, user nor day is given.
const DAYS: u64 = 31;

/// How many calls one query returns.
const PAGE: usize = 50;

/// Which calls to search for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Search {
    /// Only calls to this number, by Meta's id of it, or its name.
    pub(crate) number: Option<NumberId>,
    /// Only calls on this line.
    pub(crate) line: Option<Line>,
    /// Only calls that rang on this day, `yyyy-mm-dd` in UTC.
    pub(crate) day: Option<String>,
    /// Only calls of the user with these pseudonyms.
    pub(crate) pseudonyms: Option<Vec<String>>,
    /// Only calls with this ending.
    pub(crate) ending: Option<String>,
    /// Only calls older than this cursor.
    pub(crate) after: Option<Cursor>,
}

/// One page of search results.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Newest first.
    pub(crate) calls: Vec<CallListing>,
    /// The calls whose entries in the list cannot be read, whatever was searched for.
    pub(crate) unreadable: Vec<CallRef>,
    /// Where the next page begins; `None` on the last page.
    pub(crate) next: Option<Cursor>,
    /// The earliest day searched, `yyyy-mm-dd` in UTC; `None` when there is no such limit.
    pub(crate) since: Option<String>,
}

/// A position in the list of calls: when a call rang, and the start of its reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    rang_at_ms: u64,
    name: String,
}

impl Search {
    /// Searches until `at_most` calls are found or the lists end.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub(crate) async fn run(&self, store: &Store, at_most: usize, now_ms: u64) -> anyhow::Result<Found> {
        if let Some(pseudonyms) = &self.pseudonyms {
            return self.of_user(store, pseudonyms, at_most).await;
        }
        let (mut calls, mut unreadable) = (vec![], vec![]);
        let lists = self.lists(now_ms);
        let since = match (lists.last(), &self.day) {
            (Some(CallQuery::On(day)), None) => Some(day.clone()),
            (Some(CallQuery::On(_) | CallQuery::Of(_) | CallQuery::By(_)) | None, _) => None,
        };
        for which in lists {
            let mut before = self.after.as_ref().map(Cursor::place);
            loop {
                before = self.add_page(store, &which, before, (&mut calls, &mut unreadable)).await?;
                if calls.len() > at_most {
                    calls.truncate(at_most);
                    let next = calls.last().map(Cursor::of);
                    return Ok(Found { calls, unreadable, next, since });
                }
                if before.is_none() {
                    break;
                }
            }
        }
        Ok(Found { calls, unreadable, next: None, since })
    }

    /// Merges the lists of all the user's pseudonyms, newest first, each call once.
    async fn of_user(&self, store: &Store, pseudonyms: &[String], at_most: usize) -> anyhow::Result<Found> {
        let (mut calls, mut unreadable) = (vec![], vec![]);
        for pseudonym in pseudonyms {
            let (which, mut before) =
                (CallQuery::By(pseudonym.clone()), self.after.as_ref().map(Cursor::place));
            let mut wanted = vec![];
            while wanted.len() <= at_most {
                before = self.add_page(store, &which, before, (&mut wanted, &mut unreadable)).await?;
                if before.is_none() {
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
        unreadable.sort();
        unreadable.dedup();
        Ok(Found { calls, unreadable, next, since: None })
    }

    /// Adds the matching calls of the next page of a list, and returns where the page after it begins.
    async fn add_page(
        &self,
        store: &Store,
        which: &CallQuery,
        before: Option<String>,
        (calls, unreadable): (&mut Vec<CallListing>, &mut Vec<CallRef>),
    ) -> anyhow::Result<Option<String>> {
        let CallPage { calls: of_page, unreadable: unread, next } =
            store.calls(which, self.within(), before.as_deref(), PAGE).await?;
        calls.extend(
            of_page.into_iter().filter(|call| !unread.contains(&call.call_ref) && self.matches(call)),
        );
        unreadable.extend(unread);
        Ok(next)
    }

    /// Returns the lists to query, one after the other; days only when no number is given.
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
        let from_ms = start_of_day(self.day.as_deref()?)?;
        Some(TimeRange { from_ms, to_ms: from_ms + DAY_MS - 1 })
    }

    fn matches(&self, call: &CallListing) -> bool {
        let is_to = self.number.as_ref().is_none_or(|number| *number == call.number);
        let is_on = self.line.is_none_or(|line| call.line == line.into());
        is_to
            && is_on
            && self
                .ending
                .as_ref()
                .is_none_or(|ending| call.ending.as_ref().is_some_and(|it| it.to_string() == *ending))
    }
}

impl Cursor {
    fn of(call: &CallListing) -> Self {
        Self { rang_at_ms: call.rang_at_ms, name: short(&call.call_ref).to_owned() }
    }

    /// Returns a sort key just before the call's own: a reference sorts behind its own prefix.
    fn place(&self) -> String {
        keys::rang_bound(self.rang_at_ms, &self.name)
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
        read().ok_or_else(|| "a cursor is what the previous page prints after --after".to_owned())
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
    fn days_are_searched_backwards_from_the_cursor() {
        let after = Some("1795305600000.ab12".parse().unwrap());

        let lists = Search { after, ..Search::default() }.lists(1_800_000_000_000);

        assert_eq!(lists[..2], [CallQuery::On("2026-11-22".into()), CallQuery::On("2026-11-21".into())]);
        assert_eq!(lists.len(), 31);
    }
}
