//! What the doctor looks at, gathered first: Meta, AWS, the webhook, the model.

mod deployment;
mod model;
mod webhook;

pub use deployment::{Concurrency, Deployment};
pub use model::{Answer, ModelFacts};
pub use webhook::WebhookFacts;

use crate::Common;
use crate::fetched::{FetchError, Fetched};
use crate::meta::{self, MetaClient};
use crate::site::{Keys, Site};
use aws_config::SdkConfig;
use service::env::Env;

/// Everything that was seen.
#[derive(Debug, Clone)]
pub struct Facts {
    /// When, seconds since 1970.
    pub now: u64,
    /// The number that was looked at.
    pub number: Fetched<String>,
    /// The deployment's others, where nobody named one.
    pub others: Vec<String>,
    /// At Meta.
    pub meta: meta::Facts,
    /// Of the deployment's own on AWS.
    pub deployment: Deployment,
    /// At the webhook.
    pub webhook: WebhookFacts,
    /// At OpenAI.
    pub model: ModelFacts,
}

/// Looks at everything; of several numbers, where nobody named one, at the first.
pub async fn gather(site: &Site, common: &Common) -> (MetaClient, Facts) {
    let (site, keys, deployment) = own(site, common).await;
    let site = &site;
    let (number, others) = match numbers(site, &deployment) {
        Ok(numbers) => first(numbers),
        Err(unseen) => (Err(unseen), vec![]),
    };
    let meta = MetaClient::new(site, &keys, number.clone());
    let facts = meta.look().await;
    let (webhook, model) =
        tokio::join!(WebhookFacts::look(&facts, &keys), ModelFacts::look(site, &keys, &deployment));
    let now = service::time::now_ms() / 1_000;
    (meta, Facts { now, number, others, meta: facts, deployment, webhook, model })
}

/// Meta, as the deployment's keys open it, for its number. Nothing is asked of Meta yet.
pub async fn meta_of(site: &Site, common: &Common) -> MetaClient {
    let (site, keys, deployment) = own(site, common).await;
    MetaClient::new(&site, &keys, number(&site, &deployment))
}

/// Which deployment is meant, with its webhook's address where the stack has one; its keys, and itself.
async fn own(site: &Site, common: &Common) -> (Site, Keys, Deployment) {
    let aws = service::cloud::config().await;
    let (table, call_control) = (common.table(), site.call_control(common));
    let (keys, deployment, webhook_url) = tokio::join!(
        Keys::fetch(site, common, &aws),
        Deployment::look(&aws, &table, &call_control),
        webhook_url(site, common, &aws)
    );
    let site = Site { webhook_url, ..site.clone() };
    let deployment = Deployment {
        meta_secret: keys.meta_secret.clone(),
        media_secret: keys.media_secret.clone(),
        ..deployment
    };
    (site, keys, deployment)
}

/// As it is given, else as the stack has it. Where there is no such stack, the app's subscription at Meta may say.
async fn webhook_url(site: &Site, common: &Common, aws: &SdkConfig) -> Option<String> {
    match &site.webhook_url {
        Some(url) => Some(url.clone()),
        None => deployment::webhook_url(aws, &site.webhook_function(common)).await.ok(),
    }
}

/// The number that somebody named, else the deployment's only one.
fn number(site: &Site, deployment: &Deployment) -> Fetched<String> {
    match &numbers(site, deployment)?[..] {
        [number] => Ok(number.clone()),
        several => Err(FetchError::because(format!(
            "there are several numbers: name one with --number, of {}",
            several.join(", ")
        ))),
    }
}

/// The number that somebody named, else all of the deployment's: one at least.
fn numbers(site: &Site, deployment: &Deployment) -> Fetched<Vec<String>> {
    if let Some(number) = &site.number {
        return Ok(vec![number.clone()]);
    }
    let set = Env::of_process().list("AHOY_NUMBERS");
    if !set.is_empty() {
        return Ok(set);
    }
    match deployment.numbers.as_deref() {
        Ok([]) => Err(FetchError::because("no number has an agent yet: name one with --number")),
        Ok(numbers) => Ok(numbers.iter().map(|(number, _)| number.clone()).collect()),
        Err(_) => Err(FetchError::because("nobody says which number: name it with --number")),
    }
}

fn first(mut numbers: Vec<String>) -> (Fetched<String>, Vec<String>) {
    let others = numbers.split_off(1);
    (Ok(numbers.remove(0)), others)
}
