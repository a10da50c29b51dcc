//! The lookup's wire, sans-IO: what a business's system is asked about a caller, and its reply read.
//!
//! Retell, Synthflow and dograh share the shape, so that an endpoint made for one of them works. [`LookupRequest::body`] is posted,
//! and [`LookupReply::read`] reads what comes back, which may be anything.

mod reply;
mod request;

pub use reply::{LARGEST_REPLY, LookupReply, Rejection, WrongReply};
pub use request::LookupRequest;
