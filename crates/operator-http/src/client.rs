//! The HTTP client: resolves names to public addresses only, follows no redirect, and uses no proxy.

use crate::OperatorHttpError;
use crate::public_address::{self, PublicResolver, SystemResolver};
use reqwest::dns::Resolve;
use reqwest::{Client, ClientBuilder, Request, Response, redirect};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long an idle connection is kept: less than the five seconds after which Node closes it.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// The client of requests to operators' systems; its clones share connections.
#[derive(Clone)]
pub struct OperatorHttp {
    http: Client,
}

impl OperatorHttp {
    /// Returns a client that resolves names as this machine does, and keeps a connection for a few seconds.
    ///
    /// # Errors
    /// When TLS cannot be configured: the machine has no certificate authorities.
    pub fn new() -> Result<Self, reqwest::Error> {
        Self::with_resolver(Arc::new(SystemResolver))
    }

    /// Returns a client that makes a connection for each request: for a process that may be suspended between two.
    ///
    /// # Errors
    /// As [`OperatorHttp::new`].
    pub fn without_reuse() -> Result<Self, reqwest::Error> {
        let http = builder(Arc::new(SystemResolver)).pool_max_idle_per_host(0).build()?;
        Ok(Self { http })
    }

    /// As [`OperatorHttp::new`], with names resolved by `resolver`. The addresses it finds are checked all the same.
    ///
    /// # Errors
    /// As [`OperatorHttp::new`].
    pub fn with_resolver(resolver: Arc<dyn Resolve>) -> Result<Self, reqwest::Error> {
        Ok(Self { http: builder(resolver).build()? })
    }

    /// Sends a request to an allowed host, and returns the reply once its headers are there.
    ///
    /// # Errors
    /// When the URL may not be requested, or there is no reply.
    pub async fn send(
        &self,
        request: Request,
        allowed_hosts: &[String],
    ) -> Result<Response, OperatorHttpError> {
        public_address::check(request.url(), allowed_hosts)?;
        self.http.execute(request).await.map_err(|error| match error {
            error if public_address::is_not_public(&error) => OperatorHttpError::Address,
            error if error.is_connect() => OperatorHttpError::Connection,
            _ => OperatorHttpError::Broken,
        })
    }
}

/// Returns the body of a reply up to `largest` bytes, and whether there was more.
///
/// # Errors
/// When the connection breaks.
pub async fn read_body(
    response: &mut Response,
    largest: usize,
) -> Result<(Vec<u8>, bool), OperatorHttpError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| OperatorHttpError::Broken)? {
        let room = largest - body.len();
        if chunk.len() > room {
            body.extend_from_slice(&chunk[..room]);
            return Ok((body, true));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body, false))
}

fn builder(resolver: Arc<dyn Resolve>) -> ClientBuilder {
    Client::builder()
        .user_agent("ahoy")
        .dns_resolver(Arc::new(PublicResolver::over(resolver)))
        // A proxy would resolve names itself, and a redirect could lead anywhere.
        .no_proxy()
        .redirect(redirect::Policy::none())
        .pool_idle_timeout(IDLE_TIMEOUT)
}

/// Hides the connections, which name hosts.
impl fmt::Debug for OperatorHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperatorHttp").finish_non_exhaustive()
    }
}
