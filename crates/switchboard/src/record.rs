//! A call as it lies in the table: its state, and what only the vendor crates understand.

use call::{Call, Timestamp};
use protocol::keys;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;
use whatsapp::Caller;

/// The name of a call everywhere but at Meta: hex SHA-256 of Meta's call id, which holds phone numbers.
pub fn call_ref(wacid: &str) -> String {
    hex::encode(Sha256::digest(wacid))
}

/// The state item of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub(crate) pk: String,
    pub(crate) sk: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gsi1pk: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gsi1sk: Option<String>,
    /// When DynamoDB may forget it, seconds since 1970.
    pub(crate) ttl: u64,
    /// Grows with every change: nobody overwrites what they have not read.
    pub version: u64,
    /// Meta's call id.
    pub wacid: String,
    /// The id of the business number that was called.
    pub number: String,
    /// The caller's SDP offer.
    pub offer: String,
    /// The caller's phone number, if they show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_number: Option<String>,
    /// The caller's business-scoped user id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_user_id: Option<String>,
    /// How far the call has come.
    pub call: Call,
    /// Set by the webhook when Meta says that the call is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hung_up: Option<HungUp>,
    /// Whether it is in the list of calls.
    #[serde(default)]
    pub(crate) is_listed: bool,
}

/// Meta's word that a call is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HungUp {
    /// Meta's error codes, if it ended with any.
    pub errors: Vec<u64>,
}

impl Record {
    /// A call that has just begun to ring.
    pub fn ringing(
        wacid: &str,
        number: &str,
        offer: &str,
        caller: &Caller,
        now: Timestamp,
        budget: Duration,
    ) -> Self {
        let mut record = Self {
            pk: keys::call(&call_ref(wacid)),
            sk: keys::STATE.to_owned(),
            gsi1pk: None,
            gsi1sk: None,
            ttl: keys::forget_at(now.0),
            version: 0,
            wacid: wacid.to_owned(),
            number: number.to_owned(),
            offer: offer.to_owned(),
            caller_number: caller.number.clone(),
            caller_user_id: caller.user_id.clone(),
            call: Call::ringing(now, budget),
            hung_up: None,
            is_listed: false,
        };
        record.index();
        record
    }

    /// Its name everywhere but at Meta.
    pub fn call_ref(&self) -> &str {
        keys::call_ref(&self.pk).expect("a state item lies in a call's partition")
    }

    /// Who calls.
    pub fn caller(&self) -> Caller {
        Caller { number: self.caller_number.clone(), user_id: self.caller_user_id.clone() }
    }

    /// Puts it into the index of what is due, or takes it out.
    pub(crate) fn index(&mut self) {
        (self.gsi1pk, self.gsi1sk) = self.place();
    }

    /// Whether it lies in the index as its call wants. Meta's word that the call is over makes it due out of turn.
    pub(crate) fn is_indexed(&self) -> bool {
        (self.gsi1pk.clone(), self.gsi1sk.clone()) == self.place()
    }

    fn place(&self) -> (Option<String>, Option<String>) {
        let due = self.call.due;
        (due.map(|_| keys::DUE.to_owned()), due.map(|due| keys::sortable(due.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_was_made_due_out_of_turn_is_not_where_it_belongs() {
        let budget = Duration::from_secs(25);
        let mut record = Record::ringing("wacid.A", "1", "v=0", &Caller::default(), Timestamp(7), budget);
        record.call.due = None;
        assert!(!record.is_indexed());

        record.index();

        assert!(record.is_indexed() && record.gsi1pk.is_none());
    }
}
