//! Where the world reaches this task: as it was told, or as AWS sees it.

use crate::settings::Settings;
use reqwest::Client;
use service::env::SettingError;
use std::net::IpAddr;
use std::time::Duration;

/// The setting.
const NAME: &str = "AHOY_PUBLIC_IP";

/// So long one question may take.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How long to wait before asking again. A task's network may be a moment younger than the task.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(600)];

/// The address that answers and the lease say.
///
/// A socket bound to one address is reached there; one bound to all of them asks AWS from where its packets come, unless
/// it was told.
///
/// # Errors
/// When nobody knows.
pub async fn public_ip(settings: &Settings) -> Result<IpAddr, SettingError> {
    let known = settings.public_ip.or(Some(settings.bind_ip).filter(|ip| !ip.is_unspecified()));
    match known {
        Some(ip) => Ok(ip),
        None => seen_by(&settings.checkip_url).await.map_err(|reason| SettingError::Unknown {
            name: NAME,
            reason: format!("{} does not tell: {reason}", settings.checkip_url),
        }),
    }
}

async fn seen_by(url: &str) -> Result<IpAddr, String> {
    let client = Client::builder().no_proxy().timeout(TIMEOUT).build().map_err(|error| error.to_string())?;
    let mut seen = ask(&client, url).await;
    for pause in PAUSES {
        if seen.is_ok() {
            break;
        }
        tokio::time::sleep(pause).await;
        seen = ask(&client, url).await;
    }
    seen
}

async fn ask(client: &Client, url: &str) -> Result<IpAddr, String> {
    let reply = client.get(url).send().await.and_then(reqwest::Response::error_for_status);
    let text = match reply {
        Ok(reply) => reply.text().await,
        Err(error) => Err(error),
    };
    let text = text.map_err(|error| root_of(&error.without_url()))?;
    // What is no address may be anything, of any length: it is not repeated.
    text.trim().parse().map_err(|_| format!("its {} bytes are no address", text.len()))
}

/// What is at the bottom of an error: the rest only says that a request failed.
fn root_of(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), root_of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use service::env::Env;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_task_that_was_told_its_address_asks_nobody() {
        let told =
            settings(&[("AHOY_PUBLIC_IP", "203.0.113.10"), ("AHOY_CHECKIP_URL", "http://127.0.0.1:1")]);
        let bound = settings(&[("AHOY_BIND_IP", "127.0.0.1"), ("AHOY_CHECKIP_URL", "http://127.0.0.1:1")]);

        assert_eq!(public_ip(&told).await, Ok(IpAddr::from([203, 0, 113, 10])));
        assert_eq!(public_ip(&bound).await, Ok(IpAddr::from([127, 0, 0, 1])));
    }

    #[tokio::test]
    async fn a_task_that_was_not_told_asks_what_the_world_sees() {
        let url = replying(&["no address", "198.51.100.7\n"]).await;

        assert_eq!(asking(&url).await, Ok(IpAddr::from([198, 51, 100, 7])));
    }

    #[tokio::test]
    async fn a_reply_that_is_no_address_is_not_believed() {
        let url = replying(&["<html>", "<html>", "<html>"]).await;

        let unknown = asking(&url).await.expect_err("that is no address").to_string();

        assert_eq!(
            unknown,
            format!("AHOY_PUBLIC_IP is not set, and {url} does not tell: its 6 bytes are no address")
        );
    }

    #[tokio::test]
    async fn nobody_to_ask_is_said_with_the_setting_to_make() {
        let unknown = asking("http://127.0.0.1:1").await.expect_err("nobody is there").to_string();

        assert!(
            unknown.starts_with("AHOY_PUBLIC_IP is not set, and http://127.0.0.1:1 does not tell: "),
            "{unknown}"
        );
        assert!(unknown.contains("refused"), "{unknown}");
    }

    async fn asking(url: &str) -> Result<IpAddr, SettingError> {
        public_ip(&settings(&[("AHOY_CHECKIP_URL", url)])).await
    }

    fn settings(more: &[(&str, &str)]) -> Settings {
        let enough = [("TABLE", "t"), ("MEDIA_SECRET", "s"), ("CALL_CONTROL", "c")];
        Settings::from_env(&Env::of(&[&enough[..], more].concat())).expect("nothing is missing")
    }

    /// Answers one connection after the other with these texts.
    async fn replying(texts: &'static [&'static str]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        tokio::spawn(async move {
            for text in texts {
                let (mut stream, _) = listener.accept().await.expect("somebody asks");
                let _ = stream.read(&mut [0; 1_024]).await;
                let head =
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", text.len());
                stream.write_all(format!("{head}{text}").as_bytes()).await.expect("it is read");
            }
        });
        url
    }
}
