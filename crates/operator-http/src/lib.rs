//! Requests to an operator's own systems, as all that ahoy sends there: only to allowed hosts with public addresses, signed, without
//! redirects and proxies, within a time, and with a reply of limited size.
//!
//! [`OperatorHttp::post`] sends a signed [`Post`]. An agent's tools, which have more methods and follow one redirect, make their own
//! requests and send them by [`OperatorHttp::send`]. Neither an error nor a `Debug` shows a URL, a header or a body.

mod client;
mod error;
mod post;
mod public_address;
mod signature;
mod standard_webhooks;

pub use client::{OperatorHttp, read_body};
pub use error::OperatorHttpError;
pub use post::{Post, Reply};
pub use public_address::check;
pub use signature::sign;
pub use standard_webhooks::is_webhook_secret;

use reqwest::header::{self, HeaderName};

/// Headers that an operator may not set, since they say how the request is carried.
pub const RESERVED_HEADERS: [HeaderName; 6] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::TE,
];
