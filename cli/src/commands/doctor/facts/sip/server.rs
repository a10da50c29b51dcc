//! Opens a TLS connection to the SIP server that the trunk calls, and closes it: no SIP is spoken.

use crate::fetched::{FetchError, Fetched};
use rustls_platform_verifier::BuilderVerifierExt;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, Error as TlsError};

const TIMEOUT: Duration = Duration::from_secs(5);

/// What answers at the SIP server's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// A server whose certificate names it.
    Named,
    /// A server whose certificate is not trusted for that name, and why.
    WrongCertificate(String),
}

/// Connects to the server, which is a host and a port.
pub(super) async fn reach(server: &Fetched<String>) -> Fetched<Reach> {
    let server = server.as_ref().map_err(Clone::clone)?;
    let malformed = || FetchError::missing(format!("SIP_SERVER is {server}, not a host and a port"));
    let (host, port) = server.rsplit_once(':').ok_or_else(malformed)?;
    let port: u16 = port.parse().map_err(|_| malformed())?;
    let host = host.trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(host.clone()).map_err(|_| malformed())?;
    let tls = tls().map_err(|error| FetchError::because(format!("TLS client cannot be built: {error}")))?;
    let unreached = |why: String| FetchError::because(format!("{server} cannot be reached from here: {why}"));
    let connected = async {
        let stream = TcpStream::connect((host.as_str(), port)).await?;
        TlsConnector::from(Arc::new(tls)).connect(name, stream).await
    };
    match timeout(TIMEOUT, connected).await {
        Err(_) => Err(unreached(format!("no answer within {} s", TIMEOUT.as_secs()))),
        Ok(Ok(_)) => Ok(Reach::Named),
        Ok(Err(error)) => match certificate_error(&error) {
            Some(why) => Ok(Reach::WrongCertificate(why)),
            None => Err(unreached(error.to_string())),
        },
    }
}

/// Returns TLS that trusts the machine's certificate authorities.
fn tls() -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(tls.with_platform_verifier()?.with_no_client_auth())
}

fn certificate_error(error: &io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<TlsError>()?;
    matches!(error, TlsError::InvalidCertificate(_)).then(|| error.to_string())
}
