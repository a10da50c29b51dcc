//! The Responses API over plain HTTP: `POST /v1/responses`, as far as structured output needs it.
//!
//! - `api`: lets in, answers, remembers
//! - `request`: what may be asked
//! - `strict_schema`: the subset of JSON Schema that `strict: true` takes
//! - `extraction`: finds in a text what a schema asks for, always the same
//! - `response`: the object that comes back
//! - `fault`, `config`, `report`: what a test sets, and what it reads

pub(crate) mod api;
mod config;
mod extraction;
mod fault;
mod report;
mod request;
mod response;
mod strict_schema;

pub use config::ResponsesConfig;
pub use fault::ResponsesFault;
pub use report::ResponsesRequest;
