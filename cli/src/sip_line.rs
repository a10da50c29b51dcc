//! The SIP line of a deployment, as its operator sees it: its secret, its webhook, its project at OpenAI, and where the trunk calls.

mod addresses;
mod line_secret;

pub(crate) use addresses::Addresses;
pub(crate) use line_secret::{LineSecret, Rotated};

use crate::Common;
use crate::deployment_args::{DeploymentArgs, Keys};
use crate::fetched::{FetchError, Fetched};
use aws_config::SdkConfig;
use openai_calls::Project;
use secrecy::SecretString;

/// A deployment's SIP line.
#[derive(Debug, Clone)]
pub(crate) struct SipLine {
    /// The name or ARN of the line's secret.
    pub(crate) secret_id: String,
    pub(crate) secret: Fetched<LineSecret>,
    pub(crate) addresses: Addresses,
    /// The project, by the key that answers calls.
    pub(crate) project: Fetched<Project>,
    /// The project, by the key that manages webhooks.
    pub(crate) webhooks: Fetched<Project>,
}

impl SipLine {
    /// Fetches the line's secret. Returns `None` where there is no line: the template makes that secret with it.
    ///
    /// # Errors
    /// When AWS does not say whether there is such a secret.
    pub(crate) async fn fetch(
        args: &DeploymentArgs,
        common: &Common,
        keys: &Keys,
        aws: &SdkConfig,
    ) -> Fetched<Option<Self>> {
        let secret_id = args.line_secret(common);
        let secret = match LineSecret::fetch(&secret_id, aws).await {
            Ok(Some(secret)) => Ok(secret),
            Ok(None) if args.sip.line_secret().is_none() => return Ok(None),
            Ok(None) => {
                Err(FetchError::missing(format!("there is no secret {secret_id} in this account and region")))
            }
            // It is there, and malformed.
            Err(error) if error.is_wrong => Err(error),
            Err(error) => return Err(error),
        };
        let addresses = Addresses::of(args);
        let project = |key: Fetched<SecretString>| {
            let client = Project::new(addresses.openai.as_ref().map_err(Clone::clone)?, key?);
            client.map_err(|error| FetchError::because(format!("TLS client cannot be built: {error}")))
        };
        let managing = keys.openai_setup_key.clone().map_or_else(|| keys.openai_api_key.clone(), Ok);
        let (of_calls, webhooks) = (project(keys.openai_api_key.clone()), project(managing));
        Ok(Some(Self { secret_id, secret, addresses, project: of_calls, webhooks }))
    }
}
