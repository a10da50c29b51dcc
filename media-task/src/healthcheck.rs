//! Asks the media task in this container whether it lives: whether its door shakes hands. For the container's health check,
//! since the image has no shell and nothing else to ask with.

use anyhow::Context;
use rustls::pki_types::ServerName;
use service::env::{Env, WrongSetting};
use service::tls;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// So long the door has.
const PATIENCE: Duration = Duration::from_secs(2);

/// Shakes hands with the door that the settings describe.
///
/// # Errors
/// When the settings do not say where it is, or it does not answer within two seconds.
pub async fn run(env: &Env) -> anyhow::Result<()> {
    let door = door(env)?;
    let shaken = tokio::time::timeout(PATIENCE, shake_hands(door)).await;
    shaken.with_context(|| format!("the door at {door} took longer than {PATIENCE:?}"))?
}

/// Where the door of the task with these settings is, from inside its container.
fn door(env: &Env) -> Result<SocketAddr, WrongSetting> {
    let bound = env.parsed("AHOY_BIND_IP", IpAddr::V4(Ipv4Addr::UNSPECIFIED))?;
    let ip = match env.parsed("AHOY_DOOR_IP", bound)? {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let port = env.parsed("AHOY_DOOR_PORT", crate::settings::DOOR_PORT)?;
    if port == 0 {
        let reason = "nobody knows which free port the task took".to_owned();
        return Err(WrongSetting::Malformed { name: "AHOY_DOOR_PORT", value: "0".to_owned(), reason });
    }
    Ok(SocketAddr::new(ip, port))
}

async fn shake_hands(door: SocketAddr) -> anyhow::Result<()> {
    let stream =
        TcpStream::connect(door).await.with_context(|| format!("nobody is at the door at {door}"))?;
    let name = ServerName::IpAddress(door.ip().into());
    // Whatever certificate the door has: it was made at boot, and is known to the registry alone. Nothing is said to the
    // door, and nothing it says is believed.
    let whoever_it_is = tls::client(|_certificate| true).context("the provider speaks no TLS version")?;
    let shaken = TlsConnector::from(Arc::new(whoever_it_is)).connect(name, stream).await;
    shaken.with_context(|| format!("the door at {door} does not shake hands"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::Certificate;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_door_that_shakes_hands_is_well() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let acceptor = Certificate::make().unwrap().acceptor();
        let door = tokio::spawn(async move { acceptor.accept(listener.accept().await.unwrap().0).await });

        run(&at(port)).await.expect("it shakes hands");
        door.await.unwrap().expect("a hand was shaken");
    }

    #[tokio::test]
    async fn nobody_and_somebody_who_says_nothing_are_not_well() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = silent.local_addr().unwrap().port();
        assert!(run(&at(port)).await.unwrap_err().to_string().contains("took longer than 2s"));
        drop(silent);

        assert!(run(&at(port)).await.unwrap_err().to_string().starts_with("nobody is at the door"));
    }

    #[test]
    fn a_door_that_is_everywhere_is_here() {
        let everywhere = [("AHOY_BIND_IP", "::"), ("AHOY_DOOR_PORT", "9000")];

        assert_eq!(door(&Env::default()), Ok("127.0.0.1:8443".parse().unwrap()));
        assert_eq!(door(&Env::of(&everywhere)), Ok("[::1]:9000".parse().unwrap()));
        assert!(door(&Env::of(&[("AHOY_DOOR_PORT", "0")])).is_err());
    }

    fn at(port: u16) -> Env {
        Env::of(&[("AHOY_BIND_IP", "127.0.0.1"), ("AHOY_DOOR_PORT", &port.to_string())])
    }
}
