//! Names traces and spans after what they are about.

use journal::JournalEntry;
use sha2::{Digest, Sha256};

/// The name of a trace, as W3C Trace Context has it.
pub type TraceId = [u8; 16];

/// The name of a span.
pub type SpanId = [u8; 8];

/// The names in one call's trace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TraceIds<'a> {
    call_ref: &'a str,
    /// The trace: the first 32 digits of the call's reference, so that one finds the other by reading.
    pub(crate) trace: TraceId,
    /// The call as a whole: the next 16 digits.
    pub(crate) call: SpanId,
}

impl<'a> TraceIds<'a> {
    /// Of a call by its reference, if that is a hex SHA-256.
    pub(crate) fn of(call_ref: &'a str) -> Option<Self> {
        let mut hash = [0; 32];
        hex::decode_to_slice(call_ref, &mut hash).ok()?;
        let trace = hash[..16].try_into().expect("16 bytes");
        let call = hash[16..24].try_into().expect("8 bytes");
        Some(Self { call_ref, trace, call })
    }

    /// The part of the call in which caller and agent could hear each other.
    pub(crate) fn talk(&self) -> SpanId {
        self.named("talk")
    }

    /// What an entry tells of: its place in the journal is its alone.
    pub(crate) fn entry(&self, entry: &JournalEntry) -> SpanId {
        self.named(&format!("{}/{}/{}", entry.version, entry.writer, entry.sequence))
    }

    fn named(&self, what: &str) -> SpanId {
        let hash = Sha256::digest(format!("{}/{what}", self.call_ref));
        hash[..8].try_into().expect("8 of 32 bytes")
    }
}
