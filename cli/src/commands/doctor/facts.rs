//! What the doctor looks at, gathered first: Meta, AWS, the webhook, the model.

mod deployment;
mod model;
mod webhook;

pub use deployment::Deployment;
pub use model::{Answer, ModelFacts};
pub use webhook::WebhookFacts;

use crate::Common;
use crate::meta::{self, Meta};
use crate::seen::{Seen, Unseen};
use crate::site::{Keys, Site};
use service::env::Env;

/// Everything that was seen.
#[derive(Debug, Clone)]
pub struct Facts {
    /// When, seconds since 1970.
    pub now: u64,
    /// At Meta.
    pub meta: meta::Facts,
    /// Of the deployment's own on AWS.
    pub deployment: Deployment,
    /// At the webhook.
    pub webhook: WebhookFacts,
    /// At OpenAI.
    pub model: ModelFacts,
}

/// Looks at everything.
pub async fn gather(site: &Site, common: &Common) -> (Meta, Facts) {
    let (keys, deployment, meta) = reach(site, common).await;
    let facts = meta.look().await;
    let (webhook, model) =
        tokio::join!(WebhookFacts::look(&facts, &keys), ModelFacts::look(site, &keys, &deployment));
    let now = service::time::now_ms() / 1_000;
    (meta, Facts { now, meta: facts, deployment, webhook, model })
}

/// Meta, as the deployment's keys open it, for its number. Nothing is asked of Meta yet.
pub async fn meta_of(site: &Site, common: &Common) -> Meta {
    let (_, _, meta) = reach(site, common).await;
    meta
}

async fn reach(site: &Site, common: &Common) -> (Keys, Deployment, Meta) {
    let aws = service::cloud::config().await;
    let (keys, deployment) = tokio::join!(Keys::fetch(site, &aws), Deployment::look(&aws, &common.table));
    let deployment = Deployment {
        meta_secret: keys.meta_secret.clone(),
        media_secret: keys.media_secret.clone(),
        ..deployment
    };
    let meta = Meta::new(site, &keys, number(site, &deployment));
    (keys, deployment, meta)
}

/// The number that somebody named, else the deployment's only one.
fn number(site: &Site, deployment: &Deployment) -> Seen<String> {
    if let Some(number) = &site.number {
        return Ok(number.clone());
    }
    if let [number] = &Env::of_process().list("AHOY_NUMBERS")[..] {
        return Ok(number.clone());
    }
    match deployment.numbers.as_deref() {
        Ok([(number, _)]) => Ok(number.clone()),
        Ok([]) => Err(Unseen::because("no number has an agent yet: name one with --number")),
        Ok(_) => Err(Unseen::because("there are several numbers: name one with --number")),
        Err(_) => Err(Unseen::because("nobody says which number: name it with --number")),
    }
}
