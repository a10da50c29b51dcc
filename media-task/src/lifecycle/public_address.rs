//! This task's public address: as set, as bound, or as AWS sees it.

use crate::settings::Settings;
use backon::Retryable;
use reqwest::Client;
use service::env::SettingError;
use std::net::IpAddr;
use std::time::Duration;

const SETTING: &str = "AHOY_PUBLIC_IP";

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// The delays before retries. A task's network may be up a moment after the task.
const RETRY_DELAYS: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(600)];

/// Returns the address for SDP answers and the lease.
///
/// That is `AHOY_PUBLIC_IP` if set; else the address that sockets bind; else, where they bind all addresses, the one that AWS sees
/// packets come from.
///
/// # Errors
/// When the address is not set, and the lookup fails three times.
pub(crate) async fn public_ip(settings: &Settings) -> Result<IpAddr, SettingError> {
    let known = settings.public_ip.or(Some(settings.bind_ip).filter(|ip| !ip.is_unspecified()));
    match known {
        Some(ip) => Ok(ip),
        None => fetch(&settings.checkip_url).await.map_err(|reason| SettingError::Unknown {
            name: SETTING,
            reason: format!("{} did not return it: {reason}", settings.checkip_url),
        }),
    }
}

async fn fetch(url: &str) -> Result<IpAddr, String> {
    let client =
        Client::builder().no_proxy().timeout(REQUEST_TIMEOUT).build().map_err(|error| error.to_string())?;
    (|| fetch_once(&client, url)).retry(RETRY_DELAYS.into_iter()).await
}

async fn fetch_once(client: &Client, url: &str) -> Result<IpAddr, String> {
    let reply = client.get(url).send().await.and_then(reqwest::Response::error_for_status);
    let text = match reply {
        Ok(reply) => reply.text().await,
        Err(error) => Err(error),
    };
    let text = text.map_err(|error| root_cause(&error.without_url()))?;
    // The body may be anything, of any length: it is not repeated in the error.
    text.trim().parse().map_err(|_| format!("its {} bytes are no address", text.len()))
}

/// Returns the message of an error's root cause: the others only say that a request failed.
fn root_cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), root_cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use service::env::Env;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_set_or_bound_address_is_not_looked_up() {
        let set = settings(&[("AHOY_PUBLIC_IP", "203.0.113.10"), ("AHOY_CHECKIP_URL", "http://127.0.0.1:1")]);
        let bound = settings(&[("AHOY_BIND_IP", "127.0.0.1"), ("AHOY_CHECKIP_URL", "http://127.0.0.1:1")]);

        assert_eq!(public_ip(&set).await, Ok(IpAddr::from([203, 0, 113, 10])));
        assert_eq!(public_ip(&bound).await, Ok(IpAddr::from([127, 0, 0, 1])));
    }

    #[tokio::test]
    async fn an_unset_address_is_looked_up_at_aws() {
        let url = replying(&["no address", "198.51.100.7\n"]).await;

        assert_eq!(resolved_through(&url).await, Ok(IpAddr::from([198, 51, 100, 7])));
    }

    #[tokio::test]
    async fn a_reply_that_is_no_address_is_refused() {
        let url = replying(&["<html>", "<html>", "<html>"]).await;

        let unknown = resolved_through(&url).await.expect_err("that is no address").to_string();

        assert_eq!(
            unknown,
            format!("AHOY_PUBLIC_IP is not set, and {url} did not return it: its 6 bytes are no address")
        );
    }

    #[tokio::test]
    async fn a_failed_lookup_names_the_setting_to_make() {
        let unknown =
            resolved_through("http://127.0.0.1:1").await.expect_err("nothing listens there").to_string();

        assert!(
            unknown.starts_with("AHOY_PUBLIC_IP is not set, and http://127.0.0.1:1 did not return it: "),
            "{unknown}"
        );
        assert!(unknown.contains("refused"), "{unknown}");
    }

    async fn resolved_through(url: &str) -> Result<IpAddr, SettingError> {
        public_ip(&settings(&[("AHOY_CHECKIP_URL", url)])).await
    }

    fn settings(more: &[(&str, &str)]) -> Settings {
        let enough = [("TABLE", "t"), ("MEDIA_SECRET", "s"), ("CALL_CONTROL", "c")];
        Settings::from_env(&Env::of(&[&enough[..], more].concat())).expect("nothing is missing")
    }

    /// Serves each of these texts to one connection, one after the other.
    async fn replying(texts: &'static [&'static str]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        tokio::spawn(async move {
            for text in texts {
                let (mut stream, _) = listener.accept().await.expect("the task connects");
                let _ = stream.read(&mut [0; 1_024]).await;
                let head =
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", text.len());
                stream.write_all(format!("{head}{text}").as_bytes()).await.expect("it is read");
            }
        });
        url
    }
}
