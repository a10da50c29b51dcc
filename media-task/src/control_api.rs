//! The control API server: takes call-control's requests over TLS, with a certificate made at boot, and verifies the signature of
//! each.
//!
//! | module | what it does |
//! |---|---|
//! | `connections` | accepts connections, and serves HTTP on each |
//! | `connection` | when a connection expires |
//! | `limits` | how many connections may begin, by network and in all |
//! | `requests` | verifies each request's signature, and passes it to the calls |
//! | `refusal_log` | how often a refusal is logged |
//! | `tls` | the certificate, and TLS with it |

mod connection;
mod connections;
mod limits;
mod refusal_log;
mod requests;
mod tls;

use crate::active_calls::Calls;
use crate::settings::MediaSecret;
use requests::ControlApi;
use service::secrets::Secret;
use std::sync::Arc;
pub(crate) use tls::Certificate;
use tokio::net::TcpListener;

/// Answers requests that act on these calls, until the future is dropped, which closes every connection.
pub(crate) async fn serve(
    calls: Arc<Calls>,
    secret: Secret<MediaSecret>,
    listener: TcpListener,
    certificate: Certificate,
) {
    connections::accept(ControlApi::new(calls, secret), listener, certificate.acceptor()).await;
}
