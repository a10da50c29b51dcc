//! Finds the names and calls of one person: from one name to the calls under it, and on to the other names in them.

use crate::person::{Marker, Person};
use internal_api::keys;
use std::collections::BTreeSet;
use store::items::Item;
use store::{CallListing, CallQuery, Store};

/// So many calls are asked for at once.
const PAGE: usize = 100;

/// The keys of an item.
pub type Key = (String, String);

/// What is known of one person.
#[derive(Debug, Default)]
pub struct Known {
    /// Their names at Meta.
    pub names: Vec<Person>,
    /// Their marks: more than names, where a name was forgotten and its mark was not.
    pub marks: Vec<String>,
    /// Their calls.
    pub calls: Vec<CallListing>,
    /// The items by which all of that was found.
    pub pointers: BTreeSet<Key>,
    /// Marks that were not looked at yet.
    to_follow: Vec<String>,
}

impl Known {
    /// Follows every name and every mark to the others.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn of(ledger: &Store, marker: &Marker, person: &Person) -> anyhow::Result<Self> {
        let mut known = Self::default();
        known.learn(person, marker);
        known.follow(ledger, marker).await?;
        Ok(known)
    }

    /// Takes in a call of theirs that no list led to. Whether it is news.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn take_in(
        &mut self,
        ledger: &Store,
        marker: &Marker,
        call: CallListing,
        state: &Item,
    ) -> anyhow::Result<bool> {
        if self.has(&call.call_ref) {
            return Ok(false);
        }
        self.calls.push(call);
        callers(state).for_each(|name| self.learn(&name, marker));
        self.follow(ledger, marker).await?;
        Ok(true)
    }

    /// Whether a call is among theirs.
    pub fn has(&self, call_ref: &str) -> bool {
        self.calls.iter().any(|call| call.call_ref == call_ref)
    }

    async fn follow(&mut self, ledger: &Store, marker: &Marker) -> anyhow::Result<()> {
        while let Some(mark) = self.to_follow.pop() {
            if self.marks.contains(&mark) {
                continue;
            }
            for other in ledger.other_pseudonyms(&mark).await? {
                self.pointers.insert((keys::user(&mark), keys::also(&other)));
                self.to_follow.push(other);
            }
            let mut calls = calls_of(ledger, &mark).await?;
            self.pointers.extend(calls.iter().map(|call| (keys::user(&mark), call.place())));
            calls.retain(|call| !self.has(&call.call_ref));
            let states = calls.iter().map(|call| (keys::call(&call.call_ref), keys::STATE.to_owned()));
            for state in ledger.items(&states.collect::<Vec<_>>()).await? {
                callers(&state).for_each(|name| self.learn(&name, marker));
            }
            self.calls.extend(calls);
            self.marks.push(mark);
        }
        Ok(())
    }

    fn learn(&mut self, person: &Person, marker: &Marker) {
        for name in person.forms() {
            if !self.names.contains(&name) {
                self.to_follow.extend(marker.marks(&name));
                self.names.push(name);
            }
        }
    }
}

/// What Meta calls the caller of a call.
pub(crate) fn callers(state: &Item) -> impl Iterator<Item = Person> {
    let names = ["caller_number", "caller_user_id"].into_iter();
    names.filter_map(|name| Some(Person::of_meta(state.get(name)?.as_s().ok()?)))
}

async fn calls_of(ledger: &Store, mark: &str) -> anyhow::Result<Vec<CallListing>> {
    let (which, mut calls) = (CallQuery::By(mark.to_owned()), Vec::<CallListing>::new());
    loop {
        let before = calls.last().map(CallListing::place);
        let page = ledger.calls(&which, None, before.as_deref(), PAGE).await?;
        let is_last = page.len() < PAGE;
        calls.extend(page);
        if is_last {
            return Ok(calls);
        }
    }
}
