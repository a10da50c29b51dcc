//! Finds all names and calls of one person: follows each name to its calls, and each call to the other names in it.

use crate::person::{Person, Pseudonymizer};
use anyhow::bail;
use call::CallRef;
use std::collections::BTreeSet;
use store::items::Item;
use store::keys;
use store::{CallListing, CallPage, CallQuery, Key, Store};

/// How many calls one query returns.
const PAGE: usize = 100;

/// One person's names at Meta, their pseudonyms and their calls.
#[derive(Debug, Default)]
pub(crate) struct LinkedNames {
    pub(crate) names: Vec<Person>,
    /// May hold pseudonyms whose name is no longer stored.
    pub(crate) pseudonyms: Vec<String>,
    pub(crate) calls: Vec<CallListing>,
    /// The items that led to the names and calls.
    pub(crate) pointers: BTreeSet<Key>,
    /// Pseudonyms whose calls and links are not fetched yet.
    to_follow: Vec<String>,
}

impl LinkedNames {
    /// Finds every name, pseudonym and call that `person` leads to.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub(crate) async fn of(
        store: &Store,
        pseudonymizer: &Pseudonymizer,
        person: &Person,
    ) -> anyhow::Result<Self> {
        let mut linked = Self::default();
        linked.learn(person, pseudonymizer);
        linked.follow(store, pseudonymizer).await?;
        Ok(linked)
    }

    /// Adds a call of the person that no list led to; returns whether it was new.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub(crate) async fn add(
        &mut self,
        store: &Store,
        pseudonymizer: &Pseudonymizer,
        call: CallListing,
        state: &Item,
    ) -> anyhow::Result<bool> {
        if self.has_call(&call.call_ref) {
            return Ok(false);
        }
        self.calls.push(call);
        callers(state).for_each(|name| self.learn(&name, pseudonymizer));
        self.follow(store, pseudonymizer).await?;
        Ok(true)
    }

    /// Whether the call is one of the person's.
    pub(crate) fn has_call(&self, call_ref: &CallRef) -> bool {
        self.calls.iter().any(|call| call.call_ref == *call_ref)
    }

    async fn follow(&mut self, store: &Store, pseudonymizer: &Pseudonymizer) -> anyhow::Result<()> {
        while let Some(pseudonym) = self.to_follow.pop() {
            if self.pseudonyms.contains(&pseudonym) {
                continue;
            }
            for other in store.other_pseudonyms(&pseudonym).await? {
                self.pointers.insert((keys::user(&pseudonym), keys::also(&other)));
                self.to_follow.push(other);
            }
            let mut calls = calls_of(store, &pseudonym).await?;
            self.pointers.extend(calls.iter().map(|call| (keys::user(&pseudonym), call.place())));
            calls.retain(|call| !self.has_call(&call.call_ref));
            let states = calls.iter().map(|call| (keys::call(&call.call_ref), keys::STATE.to_owned()));
            for state in store.items(&states.collect::<Vec<_>>()).await? {
                callers(&state).for_each(|name| self.learn(&name, pseudonymizer));
            }
            self.calls.extend(calls);
            self.pseudonyms.push(pseudonym);
        }
        Ok(())
    }

    fn learn(&mut self, person: &Person, pseudonymizer: &Pseudonymizer) {
        for name in person.forms() {
            if !self.names.contains(&name) {
                self.to_follow.extend(pseudonymizer.pseudonyms(&name));
                self.names.push(name);
            }
        }
    }
}

/// Returns the caller's names in a call's state item: phone number and user id, where known.
pub(crate) fn callers(state: &Item) -> impl Iterator<Item = Person> {
    let names = ["caller_number", "caller_user_id"].into_iter();
    names.filter_map(|name| Some(Person::of_meta(state.get(name)?.as_s().ok()?)))
}

/// Returns the calls of a pseudonym, with what is known of a call whose entry cannot be read.
async fn calls_of(store: &Store, pseudonym: &str) -> anyhow::Result<Vec<CallListing>> {
    let (which, mut calls, mut before) = (CallQuery::By(pseudonym.to_owned()), vec![], None);
    loop {
        let CallPage { calls: of_page, unreadable, next } =
            store.calls(&which, None, before.as_deref(), PAGE).await?;
        let is_known = |call_ref: &CallRef| of_page.iter().any(|call| call.call_ref == *call_ref);
        if let Some(unknown) = unreadable.iter().find(|call_ref| !is_known(call_ref)) {
            bail!("cannot parse the pointer to call {unknown} in a person's list of calls");
        }
        calls.extend(of_page);
        before = next;
        if before.is_none() {
            return Ok(calls);
        }
    }
}
