//! `ahoy setup --sip`: makes OpenAI's webhook, keeps its secret and the trunk's key in the line's secret, and says where the trunk calls.

mod plan;
mod trunk;

use super::{Setup, table};
use crate::Common;
use crate::commands::doctor::named_parts;
use crate::output::{self, GOOD, styled};
use crate::prompt::{self, Spinner, confirm};
use crate::sip_line::{LineSecret, Rotated, SipLine};
use anyhow::{Context, anyhow, bail};
use aws_config::SdkConfig;
use openai_calls::{Project, signature};
use plan::{Facts, Step, Wanted};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use service::env::Env;
use std::process::ExitCode;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use trunk::Trunk;

/// The number of random bytes in a trunk's key.
const KEY_BYTES: usize = 24;

/// What follows when OpenAI has rotated the webhook's secret, and the new one was not stored.
const LOST: &str = "the new webhook secret is lost, and the old one signs for 24 hours: run this again with --rotate webhook-secret";

/// The JSON output. It holds no secret.
#[derive(Debug, Serialize)]
struct SipReport {
    /// The changes that are needed.
    changes: Vec<plan::Row>,
    /// Whether they were made.
    changed: bool,
    webhook_url: String,
    /// The line's secret.
    secret: String,
    #[serde(flatten)]
    trunk: Trunk,
}

/// The parts that a change needs.
struct Parts<'a> {
    line: &'a SipLine,
    aws: &'a SdkConfig,
    /// The name of the webhook at OpenAI.
    name: String,
    url: String,
}

/// Runs the command. The exit code is 0 when everything is set up, and 1 when the operator declined, or OpenAI or AWS refused.
pub(super) async fn run(setup: &Setup, common: &Common) -> anyhow::Result<ExitCode> {
    let (args, keys) = named_parts(&setup.args, common).await;
    let aws = service::cloud::config().await;
    let id = args.line_secret(common);
    let no_line = || {
        anyhow!(
            "there is no SIP line: deploy with SipProject=proj_…, which makes the secret {id} (docs/sip.md)"
        )
    };
    let line = SipLine::fetch(&args, common, &keys, &aws).await?.ok_or_else(no_line)?;
    let (url, trunk) = (line.addresses.webhook.clone()?, Trunk::of(&line, setup.project.as_deref()));
    let parts = Parts { line: &line, aws: &aws, name: args.stack(common), url };
    let facts = parts.facts(line.secret.clone()?).await?;
    let wanted = Wanted { rotate: &setup.rotate, forgets_old: setup.forget_old };
    let steps = plan::steps(&facts, &wanted)?;
    let rows: Vec<_> = steps.iter().map(Step::row).collect();
    let mut report = SipReport {
        changes: rows.clone(),
        changed: false,
        webhook_url: parts.url.clone(),
        secret: id,
        trunk,
    };
    if !common.json {
        show(&facts, rows);
    }
    if steps.is_empty() {
        return finish(&report, common, ExitCode::SUCCESS);
    }
    if !setup.yes && (common.json || !confirm("Make these changes?")) {
        output::error_line("Nothing was changed. Answer yes, or use --yes.");
        return finish(&report, common, ExitCode::FAILURE);
    }
    let secret = parts.make(&facts, &steps).await?;
    let left = plan::steps(&parts.facts(secret.clone()).await?, &Wanted::nothing())?;
    if let Some(step) = left.first() {
        bail!("every change was accepted, but {} is still to be made", step.row().what);
    }
    report.changed = true;
    if !common.json {
        output::line(styled(
            GOOD,
            "Done. The webhook knows it within five minutes: change the edge after that.",
        ));
        if steps.iter().any(|step| matches!(step, Step::MakeTrunkKey { .. })) {
            show_key(&secret, &report.secret);
        }
    }
    finish(&report, common, ExitCode::SUCCESS)
}

impl Parts<'_> {
    async fn facts(&self, secret: LineSecret) -> anyhow::Result<Facts> {
        let _spinner = Spinner::start("Asking OpenAI");
        let endpoints = self.project()?.endpoints().await;
        Ok(Facts { secret, url: self.url.clone(), endpoints })
    }

    fn project(&self) -> anyhow::Result<&Project> {
        self.line.webhooks.as_ref().map_err(|error| anyhow!("{error}"))
    }

    /// Makes the changes, the line's secret last and at once; returns what it holds then.
    async fn make(&self, facts: &Facts, steps: &[Step]) -> anyhow::Result<LineSecret> {
        let (mut secret, mut made) = (facts.secret.clone(), None);
        for step in steps {
            let doing = || format!("cannot change the {}", step.row().what);
            match step {
                Step::MakeEndpoint { url } => {
                    let (endpoint, new) =
                        self.project()?.make_endpoint(&self.name, url).await.with_context(doing)?;
                    secret.rotate(Rotated::WebhookSecret, &new);
                    made = Some(endpoint.id);
                }
                Step::Subscribe { id, event_types, .. } => {
                    self.project()?.set_event_types(id, event_types).await.with_context(doing)?;
                }
                Step::RotateSecret { id, .. } => {
                    let new = self.project()?.rotate_secret(id).await.with_context(doing)?;
                    secret.rotate(Rotated::WebhookSecret, &new);
                }
                Step::TakeSecret { .. } => secret.rotate(Rotated::WebhookSecret, &take_secret()?),
                Step::MakeTrunkKey { .. } => secret.rotate(Rotated::TrunkKey, &new_key()?),
                Step::ForgetOld(what) => secret.forget_old(*what),
            }
        }
        if secret != facts.secret {
            let stored = secret.store(&self.line.secret_id, self.aws).await;
            if let (Err(_), Some(id)) = (&stored, made) {
                // Its secret is lost: the next run must be able to make another one.
                let deleted = self.project()?.delete_endpoint(&id).await;
                deleted.context("a webhook is left at OpenAI whose secret is lost: delete it there")?;
            }
            let is_rotated = steps.iter().any(|step| matches!(step, Step::RotateSecret { .. }));
            stored.with_context(|| if is_rotated { LOST } else { "nothing was stored" })?;
        }
        Ok(secret)
    }
}

/// Takes the secret of a webhook that the operator made.
fn take_secret() -> anyhow::Result<SecretString> {
    let given = Env::of_process().secret("OPENAI_WEBHOOK_SECRET");
    let given = given
        .or_else(|| prompt::secret("Signing secret (whsec_…):"))
        .context("there is no terminal to ask for the signing secret on: set OPENAI_WEBHOOK_SECRET to it")?;
    if !signature::is_secret(given.expose_secret()) {
        bail!("this is not a signing secret, which is whsec_ and base64: nothing was stored");
    }
    Ok(given)
}

fn new_key() -> anyhow::Result<SecretString> {
    let mut key = [0; KEY_BYTES];
    let filled = aws_lc_rs::default_provider().secure_random.fill(&mut key);
    filled.map_err(|_| anyhow!("this machine gives no random numbers"))?;
    Ok(hex::encode(key).into())
}

fn show(facts: &Facts, rows: Vec<plan::Row>) {
    facts.notes().into_iter().for_each(output::line);
    if rows.is_empty() {
        output::line("Nothing to change.");
        return;
    }
    output::line(table(rows.into_iter().map(|row| [row.what, row.before, row.after])));
}

/// Shows a new trunk key to a person, and never to a file or a pipe.
fn show_key(secret: &LineSecret, id: &str) {
    match secret.trunk_key().filter(|_| output::is_terminal()) {
        Some(key) => output::line(format!("The trunk's key, shown this once: {key}")),
        None => output::line(format!(
            "The trunk's key is in the secret: aws secretsmanager get-secret-value --secret-id {id} --query SecretString --output text"
        )),
    }
}

fn finish(report: &SipReport, common: &Common, code: ExitCode) -> anyhow::Result<ExitCode> {
    if common.json {
        output::json(report);
    } else if code == ExitCode::SUCCESS {
        output::line(&report.trunk);
    }
    Ok(code)
}
