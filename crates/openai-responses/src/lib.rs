//! OpenAI's Responses API, as far as ahoy uses it: one request, which OpenAI does not store, for an answer in JSON by a strict schema.

mod client;
mod error;
mod question;
mod reply;

pub use api_client::TlsError;
pub use client::{Responses, URL};
pub use error::ResponsesError;
pub use question::Question;
pub use reply::{NoAnswer, Reply, TokensUsed};
