//! Derives trace and span ids from a call's reference and its journal entries.

use call::CallRef;
use journal::JournalEntry;
use sha2::{Digest, Sha256};

/// A trace id, as in W3C Trace Context.
pub type TraceId = [u8; 16];

/// A span id, as in W3C Trace Context.
pub type SpanId = [u8; 8];

/// The ids in one call's trace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TraceIds<'a> {
    call_ref: &'a CallRef,
    /// The trace id: the first 32 hex digits of the call's reference, so that one leads to the other.
    pub(crate) trace: TraceId,
    /// The span id of the call: the next 16 hex digits.
    pub(crate) call: SpanId,
}

impl<'a> TraceIds<'a> {
    /// Returns the ids of a call, or `None` if its reference is not a hex SHA-256.
    pub(crate) fn of(call_ref: &'a CallRef) -> Option<Self> {
        let mut hash = [0; 32];
        hex::decode_to_slice(call_ref.as_str(), &mut hash).ok()?;
        let trace = hash[..16].try_into().expect("16 bytes");
        let call = hash[16..24].try_into().expect("8 bytes");
        Some(Self { call_ref, trace, call })
    }

    /// Returns the span id of the talk, the part of the call in which caller and agent hear each other.
    pub(crate) fn talk(&self) -> SpanId {
        self.derived("talk")
    }

    /// Returns the span id of an entry, from its unique position in the journal.
    pub(crate) fn entry(&self, entry: &JournalEntry) -> SpanId {
        self.derived(&format!("{}/{}/{}", entry.version, entry.writer, entry.sequence))
    }

    fn derived(&self, what: &str) -> SpanId {
        let hash = Sha256::digest(format!("{}/{what}", self.call_ref));
        hash[..8].try_into().expect("8 of 32 bytes")
    }
}
