//! Fetches and probes the SIP line: its secret, its webhook, its project at OpenAI, and the SIP server that the trunk calls.

mod probes;
mod server;

pub(crate) use server::Reach;

use crate::Common;
use crate::cloud;
use crate::deployment_args::{DeploymentArgs, Keys};
use crate::fetched::{FetchError, Fetched};
use crate::sip_line::{LineSecret, SipLine};
use aws_config::SdkConfig;
use openai_calls::ProjectError;
use openai_calls::project::Endpoint;
use probes::Signer;

/// Whether there is a SIP line, and what was found out about it.
#[derive(Debug, Clone)]
pub(crate) enum SipState {
    Off,
    /// AWS does not say whether there is one, and why.
    Unknown(String),
    On(Box<SipFacts>),
}

/// What was found out about the SIP line.
#[derive(Debug, Clone)]
pub(crate) struct SipFacts {
    pub(crate) secret_id: String,
    pub(crate) secret: Fetched<LineSecret>,
    /// Whether calls without a key are accepted while no key of a trunk is configured.
    pub(crate) is_open: Fetched<bool>,
    /// The webhook's answer to an event signed with the stored secret: the status.
    pub(crate) signed: Fetched<u16>,
    /// The webhook's answer to an event signed with another secret: the status.
    pub(crate) forged: Fetched<u16>,
    pub(crate) webhook_url: Fetched<String>,
    /// The webhooks of OpenAI's project.
    pub(crate) endpoints: Result<Vec<Endpoint>, ProjectError>,
    /// Whether the key may act on calls.
    pub(crate) key: Result<(), ProjectError>,
    /// The SIP server, host and port.
    pub(crate) server: Fetched<String>,
    pub(crate) reach: Fetched<Reach>,
}

impl SipState {
    /// Fetches and probes everything; `args` has the webhook's address.
    pub(crate) async fn fetch(args: &DeploymentArgs, common: &Common, keys: &Keys) -> Self {
        let aws = service::cloud::config().await;
        match SipLine::fetch(args, common, keys, &aws).await {
            Ok(None) => Self::Off,
            Err(error) => Self::Unknown(error.why),
            Ok(Some(line)) => {
                let webhook = args.webhook_function(common);
                Self::On(Box::new(SipFacts::probe(line, &webhook, &aws).await))
            }
        }
    }
}

impl SipFacts {
    async fn probe(line: SipLine, webhook: &str, aws: &SdkConfig) -> Self {
        let SipLine { secret_id, secret, addresses, project, webhooks } = line;
        let url = &addresses.webhook;
        let (is_open, signed, forged, endpoints, key, reach) = tokio::join!(
            is_open(aws, webhook),
            probes::post(url, Signer::Stored(&secret)),
            probes::post(url, Signer::Stranger),
            async { webhooks.map_err(no_client)?.endpoints().await },
            async { project.map_err(no_client)?.may_act_on_calls().await },
            server::reach(&addresses.sip_server),
        );
        let (webhook_url, server) = (addresses.webhook, addresses.sip_server);
        Self { secret_id, secret, is_open, signed, forged, webhook_url, endpoints, key, server, reach }
    }
}

fn no_client(error: FetchError) -> ProjectError {
    ProjectError::Unanswered(error.why)
}

/// Returns whether the webhook was deployed with `SipOpen=yes`.
async fn is_open(aws: &SdkConfig, webhook: &str) -> Fetched<bool> {
    if aws.region().is_none() {
        return Err(FetchError::because(cloud::NO_REGION));
    }
    let asked = aws_sdk_lambda::Client::new(aws).get_function_configuration().function_name(webhook).send();
    let found =
        asked.await.map_err(|error| cloud::fetch_error(&error.into(), &format!("function {webhook}")))?;
    let variables = found.environment().and_then(|environment| environment.variables());
    Ok(variables.is_some_and(|all| all.get("AHOY_SIP_OPEN").is_some_and(|value| value.trim() == "yes")))
}
