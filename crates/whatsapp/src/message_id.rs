//! The reference of a message: the hash of its id at Meta.

use sha2::{Digest, Sha256};

/// Returns the hex SHA-256 of a message's id at Meta, which holds the recipient's phone number.
pub fn message_ref(wamid: &str) -> String {
    hex::encode(Sha256::digest(wamid))
}
