//! `ahoy setup`: subscribes the webhook to calls at Meta and enables calling on the number, or with `--sip` sets up the SIP line; shows the
//! changes and asks first.

mod hours;
mod sip;

use super::doctor::meta_of;
use crate::Common;
use crate::deployment_args::DeploymentArgs;
use crate::meta::{Change, ChangeReport, Facts, Field, MetaClient};
use crate::output::{self, GOOD, styled};
use crate::prompt::{Spinner, confirm};
use crate::sip_line::Rotated;
use anyhow::{anyhow, bail};
use clap::{Args, ValueEnum};
use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, ContentArrangement, Table};
use hours::OpeningHours;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use std::process::ExitCode;
use whatsapp::error::misconfiguration;

#[derive(Debug, Args)]
pub(crate) struct Setup {
    #[command(flatten)]
    args: DeploymentArgs,
    /// When users can call, such as `mon-fri 09:00-17:30`; may be repeated; needs --zone.
    #[arg(long, value_name = "DAYS TIMES", value_parser = hours::opening_hours, requires = "zone")]
    hours: Vec<OpeningHours>,
    /// The IANA time zone of --hours, such as Asia/Kolkata.
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    zone: Option<String>,
    /// Remove call hours: users can call at any time.
    #[arg(long, conflicts_with = "hours")]
    always: bool,
    /// Whether users see a call button.
    #[arg(long, value_enum, default_value = "shown")]
    icon: Icon,
    /// Whether users who call are asked whether we may call them back.
    #[arg(long, value_enum, default_value = "on")]
    callback: Switch,
    /// Set up calls by SIP instead: the webhook at OpenAI, its secret, and the trunk's key.
    #[arg(long, conflicts_with_all = ["hours", "always"])]
    sip: bool,
    /// What to replace on the SIP line; the old one stays valid beside it. May be repeated.
    #[arg(long, value_enum, value_name = "WHAT", requires = "sip")]
    rotate: Vec<Rotated>,
    /// End the validity of what was replaced on the SIP line.
    #[arg(long, requires = "sip", conflicts_with = "rotate")]
    forget_old: bool,
    /// The project at OpenAI that the trunk calls, proj_…; only printed.
    #[arg(long, env = "SIP_PROJECT", value_name = "PROJECT", requires = "sip")]
    project: Option<String>,
    /// Make the changes without asking.
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Icon {
    Shown,
    Hidden,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Switch {
    On,
    Off,
}

/// The JSON output.
#[derive(Debug, Serialize)]
struct SetupReport {
    /// The changes that are needed.
    changes: Vec<ChangeReport>,
    /// Whether they were made.
    changed: bool,
    /// Other apps that are subscribed to the account; they are left alone.
    other_apps: Vec<String>,
}

impl Setup {
    /// Runs the command. The exit code is 0 when every setting has its wanted value, and 1 when the operator declined or Meta refused.
    pub(crate) async fn run(&self, common: &Common) -> anyhow::Result<ExitCode> {
        if self.sip {
            return sip::run(self, common).await;
        }
        let meta = meta_of(&self.args, common).await;
        let before = fetch(&meta).await;
        let changes = self.changes(&before)?;
        let others = before.other_apps().iter().map(|it| format!("{} ({})", it.name, it.id)).collect();
        let mut report = SetupReport {
            changes: changes.iter().map(Change::report).collect(),
            changed: false,
            other_apps: others,
        };
        if !common.json {
            show(&changes, &report);
        }
        if changes.is_empty() {
            return finish(&report, common, ExitCode::SUCCESS);
        }
        if !self.yes && (common.json || !confirm("Make these changes?")) {
            output::error_line("Nothing was changed. Answer yes, or use --yes.");
            return finish(&report, common, ExitCode::FAILURE);
        }
        for change in &changes {
            let made = meta.apply(change, &before).await;
            made.map_err(|error| anyhow!("cannot change {}: {error}{}", change.what(), cure(error.code)))?;
        }
        let left = self.changes(&fetch(&meta).await)?;
        if let Some(change) = left.first() {
            bail!("Meta accepted every change, but {} is still {}", change.what(), change.before());
        }
        report.changed = true;
        if !common.json {
            output::line(styled(GOOD, "Done. Now call the number; if that fails, run ahoy doctor."));
        }
        finish(&report, common, ExitCode::SUCCESS)
    }

    /// Returns the changes that are needed, in the order in which Meta accepts them.
    fn changes(&self, facts: &Facts) -> anyhow::Result<Vec<Change>> {
        let calling = facts.calling.clone()?;
        facts.token.as_ref().map_err(Clone::clone)?;
        facts.subscription.as_ref().map_err(Clone::clone)?;
        facts.apps.as_ref().map_err(Clone::clone)?;
        facts.number.as_ref().map_err(Clone::clone)?;
        if facts.webhook_url.is_none() && facts.subscription.iter().flatten().next().is_none() {
            bail!(
                "the webhook's address cannot be read from the stack: name the stack with --stack, or set WEBHOOK_URL"
            );
        }
        let icon = match self.icon {
            Icon::Shown => "DEFAULT",
            Icon::Hidden => "DISABLE_ALL",
        };
        let callback = match self.callback {
            Switch::On => "ENABLED",
            Switch::Off => "DISABLED",
        };
        let now = Timestamp::now();
        let mut changes = vec![
            Change::app(facts),
            Change::account(facts),
            Change::number(facts),
            Change::calling(facts, Field::Sip, json!({ "status": "DISABLED" })),
            Change::calling(facts, Field::Keys, json!("DTLS")),
            Change::calling(facts, Field::Icon, json!(icon)),
            Change::calling(facts, Field::Callback, json!(callback)),
            Change::calling(facts, Field::Status, json!("ENABLED")),
        ];
        if let (Some(zone), false) = (&self.zone, self.hours.is_empty()) {
            let hours = hours::weekly(&self.hours, zone, calling.call_hours.as_ref(), now)
                .map_err(|why| anyhow!(why))?;
            changes.push(Change::calling(facts, Field::Hours, hours));
        }
        if self.always {
            let off = hours::always(self.zone.as_deref(), calling.call_hours.as_ref(), now);
            changes.push(Change::calling(facts, Field::Hours, off));
        }
        let mut changes: Vec<_> = changes.into_iter().flatten().collect();
        changes.sort_by_key(Change::rank);
        Ok(changes)
    }
}

async fn fetch(meta: &MetaClient) -> Facts {
    let _spinner = Spinner::start("Asking Meta");
    meta.fetch().await
}

fn show(changes: &[Change], report: &SetupReport) {
    for app in &report.other_apps {
        output::line(format!(
            "{app} is also subscribed to this account and is left alone: make sure that it answers no calls."
        ));
    }
    if changes.is_empty() {
        output::line("Nothing to change.");
        return;
    }
    output::line(table(changes.iter().map(|it| [it.what(), it.before().to_owned(), it.after()])));
}

/// Returns a table of changes: what, before, after.
fn table(rows: impl Iterator<Item = [String; 3]>) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["WHAT", "BEFORE", "AFTER"].map(|head| Cell::new(head).add_attribute(Attribute::Bold)));
    table.add_rows(rows);
    table
}

fn finish(report: &SetupReport, common: &Common, code: ExitCode) -> anyhow::Result<ExitCode> {
    if common.json {
        output::json(report);
    }
    Ok(code)
}

/// Returns how to fix a refusal of Meta's, by its code; empty where that is not known.
fn cure(code: u32) -> String {
    misconfiguration(code).map(|(_, cure)| format!("; {cure}")).unwrap_or_default()
}

fn zone(text: &str) -> Result<String, String> {
    let known = jiff::tz::TimeZone::get(text).map_err(|_| format!("there is no time zone {text:?}"));
    known.map(|_| text.to_owned())
}
