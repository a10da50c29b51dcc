//! Finds the names and calls of one person: from one name to the calls under it, and on to the other names in them.

use crate::person::{Marker, Person};
use ledger::items::Item;
use ledger::{Calls, Ledger, Listed};
use protocol::keys;
use std::collections::{BTreeSet, HashSet};

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
    pub calls: Vec<Listed>,
    /// The items by which all of that was found.
    pub pointers: BTreeSet<Key>,
}

impl Known {
    /// Follows every name and every mark to the others.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn of(ledger: &Ledger, marker: &Marker, person: &Person) -> anyhow::Result<Self> {
        let (mut known, mut marks) = (Self::default(), vec![]);
        let (mut seen, mut listed) = (HashSet::new(), HashSet::new());
        known.learn(person, marker, &mut marks);
        while let Some(mark) = marks.pop() {
            if !seen.insert(mark.clone()) {
                continue;
            }
            for other in ledger.other_marks(&mark).await? {
                known.pointers.insert((keys::user(&mark), keys::also(&other)));
                marks.push(other);
            }
            let mut calls = calls_of(ledger, &mark).await?;
            known.pointers.extend(calls.iter().map(|call| (keys::user(&mark), call.place())));
            calls.retain(|call| listed.insert(call.call_ref.clone()));
            let states = calls.iter().map(|call| (keys::call(&call.call_ref), keys::STATE.to_owned()));
            for state in ledger.items(&states.collect::<Vec<_>>()).await? {
                callers(&state).for_each(|name| known.learn(&name, marker, &mut marks));
            }
            known.calls.extend(calls);
            known.marks.push(mark);
        }
        Ok(known)
    }

    fn learn(&mut self, person: &Person, marker: &Marker, marks: &mut Vec<String>) {
        for name in person.forms() {
            if !self.names.contains(&name) {
                marks.push(marker.mark(&name));
                self.names.push(name);
            }
        }
    }
}

/// What Meta calls the caller of a call.
fn callers(state: &Item) -> impl Iterator<Item = Person> {
    let names = ["caller_number", "caller_user_id"].into_iter();
    names.filter_map(|name| Some(Person::of_meta(state.get(name)?.as_s().ok()?)))
}

async fn calls_of(ledger: &Ledger, mark: &str) -> anyhow::Result<Vec<Listed>> {
    let (which, mut calls) = (Calls::By(mark.to_owned()), Vec::<Listed>::new());
    loop {
        let before = calls.last().map(Listed::place);
        let page = ledger.calls(&which, None, before.as_deref(), PAGE).await?;
        let is_last = page.len() < PAGE;
        calls.extend(page);
        if is_last {
            return Ok(calls);
        }
    }
}
