//! The addresses of a SIP line: OpenAI's API, the SIP server that the trunk calls, and our webhook.

use crate::deployment_args::DeploymentArgs;
use crate::fetched::{FetchError, Fetched};
use reqwest::Url;

/// OpenAI's APIs with the SIP server beside each. No other SIP server is ever contacted unless the operator names it.
const SIP_SERVERS: [(&str, &str); 2] =
    [("api.openai.com", "sip.api.openai.com:5061"), ("eu.api.openai.com", "sip-eu.api.openai.com:5061")];

/// Where the parts of a SIP line are.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    /// OpenAI's API, without a final slash.
    pub(crate) openai: Fetched<String>,
    /// The SIP server, host and port.
    pub(crate) sip_server: Fetched<String>,
    /// Our webhook for OpenAI's events.
    pub(crate) webhook: Fetched<String>,
}

impl Addresses {
    /// Returns the given addresses, and those that follow from others.
    pub(crate) fn of(args: &DeploymentArgs) -> Self {
        let openai = match args.sip.openai_url() {
            Some(url) => Some(url.trim_end_matches('/').to_owned()),
            None => beside_realtime(&args.realtime_url),
        };
        let openai = openai.ok_or_else(|| FetchError::because("REALTIME_URL is not a URL: set OPENAI_URL"));
        let sip_server = match args.sip.sip_server() {
            Some(server) => Ok(server.to_owned()),
            None => openai.clone().and_then(|url| sip_server_of(&url)),
        };
        let webhook = args.webhook_url.as_deref().ok_or_else(|| {
            FetchError::because("the webhook's address cannot be read from the stack: name the stack with --stack, or set WEBHOOK_URL")
        });
        let webhook = webhook.and_then(|url| {
            beside_webhook(url).ok_or_else(|| FetchError::missing("WEBHOOK_URL is not a URL"))
        });
        Self { openai, sip_server, webhook }
    }
}

/// Derives OpenAI's API, `https://…`, from the Realtime API's URL, `wss://…/v1/realtime`.
fn beside_realtime(realtime_url: &str) -> Option<String> {
    let url = Url::parse(&realtime_url.replacen("ws", "http", 1)).ok()?;
    let origin = url.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

fn sip_server_of(openai: &str) -> Fetched<String> {
    let host = Url::parse(openai).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let server = SIP_SERVERS.iter().find(|(api, _)| *api == host).map(|(_, server)| (*server).to_owned());
    server.ok_or_else(|| {
        FetchError::because(format!("no SIP server is known beside {host}: name it with SIP_SERVER"))
    })
}

/// Derives the address of OpenAI's events from that of Meta's: another path of one function.
fn beside_webhook(url: &str) -> Option<String> {
    let mut url = Url::parse(url).ok()?;
    url.path_segments_mut().ok()?.pop_if_empty().pop().push("openai");
    Some(url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openais_api_is_where_the_realtime_api_is() {
        for (realtime, api) in [
            ("wss://api.openai.com/v1/realtime", Some("https://api.openai.com")),
            ("wss://eu.api.openai.com/v1/realtime", Some("https://eu.api.openai.com")),
            ("ws://127.0.0.1:9/v1/realtime", Some("http://127.0.0.1:9")),
            ("realtime", None),
        ] {
            assert_eq!(beside_realtime(realtime).as_deref(), api);
        }
    }

    #[test]
    fn a_sip_server_is_known_beside_openais_own_api_alone() {
        assert_eq!(sip_server_of("https://api.openai.com").as_deref(), Ok("sip.api.openai.com:5061"));
        assert_eq!(sip_server_of("https://eu.api.openai.com").as_deref(), Ok("sip-eu.api.openai.com:5061"));
        assert!(sip_server_of("http://127.0.0.1:9").unwrap_err().why.contains("SIP_SERVER"));
    }

    #[test]
    fn openais_events_have_a_path_beside_metas() {
        for (meta, openai) in [
            ("https://a.example/webhook", "https://a.example/openai"),
            ("https://a.example/webhook/", "https://a.example/openai"),
            ("https://a.example/x/webhook", "https://a.example/x/openai"),
            ("https://a.example", "https://a.example/openai"),
        ] {
            assert_eq!(beside_webhook(meta).as_deref(), Some(openai));
        }
        assert_eq!(beside_webhook("ahoy"), None);
    }
}
