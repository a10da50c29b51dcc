//! Gathers the facts that the checks judge, from Meta, AWS, the webhook and OpenAI.

mod deployment;
mod model;
mod sip;
mod webhook;

pub(crate) use deployment::{Concurrency, Deployment};
pub(crate) use model::{Answer, ModelFacts};
pub(crate) use sip::{Reach, SipFacts, SipState};
pub(crate) use webhook::WebhookFacts;

use crate::Common;
use crate::deployment_args::{DeploymentArgs, Keys};
use crate::fetched::{FetchError, Fetched};
use crate::meta::{self, MetaClient};
use aws_config::SdkConfig;
use call::NumberId;
use service::env::Env;

/// Everything that was fetched, for one number.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    /// When the facts were gathered, in seconds since 1970.
    pub(crate) now: u64,
    /// Meta's id of the number that was checked.
    pub(crate) number: Fetched<NumberId>,
    /// The deployment's other numbers, unless `--number` names one.
    pub(crate) others: Vec<NumberId>,
    pub(crate) meta: meta::Facts,
    pub(crate) deployment: Deployment,
    pub(crate) webhook: WebhookFacts,
    pub(crate) model: ModelFacts,
    pub(crate) sip: SipState,
}

/// Fetches everything; with several numbers and no `--number`, for the first of them.
pub(crate) async fn gather(args: &DeploymentArgs, common: &Common) -> (MetaClient, Facts) {
    let (args, keys, deployment) = fetch_deployment(args, common).await;
    let args = &args;
    let (number, others) = match numbers(args, &deployment) {
        Ok(numbers) => first(numbers),
        Err(error) => (Err(error), vec![]),
    };
    let meta = MetaClient::new(args, &keys, number.clone());
    let facts = meta.fetch().await;
    let (webhook, model, sip) = tokio::join!(
        WebhookFacts::probe(&facts, &keys),
        ModelFacts::probe(args, &keys, &deployment),
        SipState::fetch(args, common, &keys)
    );
    let now = service::time::now_ms() / 1_000;
    (meta, Facts { now, number, others, meta: facts, deployment, webhook, model, sip })
}

/// Returns a Meta client with the deployment's keys and number, without a request to Meta yet.
pub(crate) async fn meta_of(args: &DeploymentArgs, common: &Common) -> MetaClient {
    let (args, keys, deployment) = fetch_deployment(args, common).await;
    MetaClient::new(&args, &keys, number(&args, &deployment))
}

/// Fetches the deployment's webhook address, and its keys.
pub(crate) async fn named_parts(args: &DeploymentArgs, common: &Common) -> (DeploymentArgs, Keys) {
    let aws = service::cloud::config().await;
    let (keys, webhook_url) = tokio::join!(Keys::fetch(args, common, &aws), webhook_url(args, common, &aws));
    (DeploymentArgs { webhook_url, ..args.clone() }, keys)
}

/// Fetches the deployment's webhook address, keys and resources on AWS.
async fn fetch_deployment(args: &DeploymentArgs, common: &Common) -> (DeploymentArgs, Keys, Deployment) {
    let aws = service::cloud::config().await;
    let (table, call_control) = (common.table(), args.call_control(common));
    let (keys, deployment, webhook_url) = tokio::join!(
        Keys::fetch(args, common, &aws),
        Deployment::fetch(&aws, &table, &call_control),
        webhook_url(args, common, &aws)
    );
    let args = DeploymentArgs { webhook_url, ..args.clone() };
    let deployment = Deployment {
        meta_secret: keys.meta_secret.clone(),
        media_secret: keys.media_secret.clone(),
        tool_secrets: keys.tool_secrets.clone(),
        ..deployment
    };
    (args, keys, deployment)
}

/// Returns `--webhook-url`, else the stack's Function URL; without either, the app's subscription at Meta is used later.
async fn webhook_url(args: &DeploymentArgs, common: &Common, aws: &SdkConfig) -> Option<String> {
    match &args.webhook_url {
        Some(url) => Some(url.clone()),
        None => deployment::webhook_url(aws, &args.webhook_function(common)).await.ok(),
    }
}

/// Returns the number given by `--number`, else the deployment's only one.
fn number(args: &DeploymentArgs, deployment: &Deployment) -> Fetched<NumberId> {
    match &numbers(args, deployment)?[..] {
        [number] => Ok(number.clone()),
        several => Err(FetchError::because(format!(
            "the deployment has several numbers: name one with --number: {}",
            several.iter().map(NumberId::as_str).collect::<Vec<_>>().join(", ")
        ))),
    }
}

/// Returns the number given by `--number`, else all of the deployment's; at least one.
fn numbers(args: &DeploymentArgs, deployment: &Deployment) -> Fetched<Vec<NumberId>> {
    if let Some(number) = &args.number {
        return Ok(vec![number.clone()]);
    }
    let set = Env::of_process().list("AHOY_NUMBERS");
    if !set.is_empty() {
        return Ok(set.into_iter().map(NumberId::from).collect());
    }
    let at_meta = deployment
        .numbers
        .as_ref()
        .map(|numbers| numbers.iter().map(|(number, _)| number.clone()).filter(is_id).collect::<Vec<_>>());
    match at_meta {
        Ok(numbers) if numbers.is_empty() => {
            Err(FetchError::because("no number has an agent yet: name one with --number"))
        }
        Ok(numbers) => Ok(numbers),
        Err(_) => {
            Err(FetchError::because("the numbers cannot be read from the table: name one with --number"))
        }
    }
}

/// Whether this is Meta's id of a number. A number of the telephone line has a name.
pub(crate) fn is_id(number: &NumberId) -> bool {
    number.as_str().bytes().all(|byte| byte.is_ascii_digit())
}

fn first(mut numbers: Vec<NumberId>) -> (Fetched<NumberId>, Vec<NumberId>) {
    let others = numbers.split_off(1);
    (Ok(numbers.remove(0)), others)
}
