//! `ahoy setup`: has Meta tell our webhook of calls, and the number take them. Shows before and after, and asks first.

mod hours;

use super::doctor::meta_of;
use crate::Common;
use crate::meta::{Change, Facts, Field, MetaClient};
use crate::output::{self, GOOD, styled};
use crate::prompt::{Busy, consent};
use crate::site::Site;
use anyhow::{anyhow, bail};
use clap::{Args, ValueEnum};
use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, ContentArrangement, Table};
use hours::Stretch;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use std::process::ExitCode;
use whatsapp::error::misconfiguration;

#[derive(Debug, Args)]
pub struct Setup {
    #[command(flatten)]
    site: Site,
    /// When users can call, such as `mon-fri 09:00-17:30`; may be given several times. Needs --zone.
    #[arg(long, value_name = "DAYS TIMES", value_parser = hours::stretch, requires = "zone")]
    hours: Vec<Stretch>,
    /// The time zone of --hours, such as Asia/Kolkata.
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    zone: Option<String>,
    /// Users can call at any hour.
    #[arg(long, conflicts_with = "hours")]
    always: bool,
    /// Whether users see a call button.
    #[arg(long, value_enum, default_value = "shown")]
    icon: Icon,
    /// Whether users who call are asked whether we may call them back.
    #[arg(long, value_enum, default_value = "on")]
    callback: Switch,
    /// Do not ask.
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

/// What a set-up came to.
#[derive(Debug, Serialize)]
struct Told {
    /// What was to be changed.
    changes: Vec<crate::meta::Told>,
    /// Whether it was.
    changed: bool,
    /// The other apps that are told of the account, which stay as they are.
    other_apps: Vec<String>,
}

impl Setup {
    /// Does it. 0 when all is as wanted, 1 when somebody said no, or Meta did.
    pub async fn run(&self, common: &Common) -> anyhow::Result<ExitCode> {
        let meta = meta_of(&self.site, common).await;
        let before = look(&meta).await;
        let changes = self.changes(&before)?;
        let others = before.other_apps().iter().map(|it| format!("{} ({})", it.name, it.id)).collect();
        let mut told =
            Told { changes: changes.iter().map(Change::told).collect(), changed: false, other_apps: others };
        if !common.json {
            show(&changes, &told);
        }
        if changes.is_empty() {
            return finish(&told, common, ExitCode::SUCCESS);
        }
        if !self.yes && (common.json || !consent("Make these changes?")) {
            output::wrong("Nothing was changed. Say yes, or --yes.");
            return finish(&told, common, ExitCode::FAILURE);
        }
        for change in &changes {
            let made = meta.make(change, &before).await;
            made.map_err(|unseen| anyhow!("cannot change {}: {unseen}{}", change.what(), cure(unseen.code)))?;
        }
        let left = self.changes(&look(&meta).await)?;
        if let Some(change) = left.first() {
            bail!("Meta took all changes, and yet {} is {}", change.what(), change.before());
        }
        told.changed = true;
        if !common.json {
            output::line(styled(GOOD, "Done. Now ring the number; what is wrong then, ahoy doctor finds."));
        }
        finish(&told, common, ExitCode::SUCCESS)
    }

    /// What differs from what is wanted, in the order it must be changed.
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
            let none = hours::always(self.zone.as_deref(), calling.call_hours.as_ref(), now);
            changes.push(Change::calling(facts, Field::Hours, none));
        }
        let mut changes: Vec<_> = changes.into_iter().flatten().collect();
        changes.sort_by_key(Change::rank);
        Ok(changes)
    }
}

async fn look(meta: &MetaClient) -> Facts {
    let _busy = Busy::with("Asking Meta");
    meta.look().await
}

fn show(changes: &[Change], told: &Told) {
    for app in &told.other_apps {
        output::line(format!(
            "{app} is told of this account as well, and stays as it is: see that it answers no calls."
        ));
    }
    if changes.is_empty() {
        output::line("Nothing to change: all is as wanted.");
        return;
    }
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["WHAT", "BEFORE", "AFTER"].map(|head| Cell::new(head).add_attribute(Attribute::Bold)));
    table.add_rows(changes.iter().map(|it| [it.what(), it.before().to_owned(), it.after()]));
    output::line(table);
}

fn finish(told: &Told, common: &Common, code: ExitCode) -> anyhow::Result<ExitCode> {
    if common.json {
        output::json(told);
    }
    Ok(code)
}

/// What somebody can do about a refusal of Meta's, where that is known.
fn cure(code: u32) -> String {
    misconfiguration(code).map(|(_, cure)| format!("; {cure}")).unwrap_or_default()
}

fn zone(text: &str) -> Result<String, String> {
    let known = jiff::tz::TimeZone::get(text).map_err(|_| format!("there is no time zone {text:?}"));
    known.map(|_| text.to_owned())
}
