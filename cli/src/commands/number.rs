//! `ahoy number show`: shows the business number's settings at Meta.

use super::doctor::meta_of;
use crate::Common;
use crate::deployment_args::DeploymentArgs;
use crate::fetched::Fetched;
use crate::meta::{Change, Facts, Field};
use crate::output;
use crate::prompt::Spinner;
use clap::{Args, Subcommand};
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;
use std::collections::BTreeMap;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(crate) enum Number {
    /// Show the number's settings at Meta: status, webhooks, subscribed apps and calling.
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    args: DeploymentArgs,
}

/// The JSON output.
#[derive(Debug, Serialize)]
struct NumberReport {
    id: String,
    number: Option<String>,
    name: Option<String>,
    status: Option<String>,
    platform: Option<String>,
    quality: Option<String>,
    messaging_limit: Option<String>,
    /// `None` when the account could not be fetched.
    account: Option<String>,
    /// Callback URLs, by level: application, account, phone number.
    webhooks: BTreeMap<String, String>,
    /// The apps subscribed to the account; `None` when they could not be fetched.
    apps: Option<Vec<String>>,
    calling: BTreeMap<&'static str, String>,
    restrictions: Vec<String>,
}

impl Number {
    pub(crate) async fn run(&self, common: &Common) -> anyhow::Result<ExitCode> {
        match self {
            Self::Show(show) => show.run(common).await,
        }
    }
}

impl Show {
    async fn run(&self, common: &Common) -> anyhow::Result<ExitCode> {
        let meta = meta_of(&self.args, common).await;
        let facts = {
            let _spinner = Spinner::start("Asking Meta");
            meta.fetch().await
        };
        let shown = NumberReport::of(&facts)?;
        if common.json {
            output::json(&shown);
        } else {
            output::line(shown.table());
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl NumberReport {
    fn of(facts: &Facts) -> Fetched<Self> {
        let (number, calling) = (facts.number.clone()?, facts.calling.clone()?);
        let apps = facts.apps.as_ref().ok();
        let fields = [Field::Status, Field::Icon, Field::Callback, Field::Keys, Field::Sip, Field::Hours];
        let setting = |field: Field| Some((field.key(), Change::current_text(facts, field)?));
        Ok(Self {
            id: number.id,
            number: number.display_phone_number,
            name: number.verified_name,
            status: number.status,
            platform: number.platform_type,
            quality: number.quality_rating,
            messaging_limit: number.messaging_limit,
            account: facts.account_id.clone().ok(),
            webhooks: number.webhook_configuration,
            apps: apps.map(|apps| apps.iter().map(|it| format!("{} ({})", it.name, it.id)).collect()),
            calling: fields.into_iter().filter_map(setting).collect(),
            restrictions: calling.restrictions.restrictions_list.into_iter().map(|it| it.kind).collect(),
        })
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        let or_unknown = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
        let list = |all: &[String]| if all.is_empty() { "none".to_owned() } else { all.join(", ") };
        table.add_rows([
            ["id".to_owned(), self.id.clone()],
            ["number".to_owned(), or_unknown(&self.number)],
            ["name".to_owned(), or_unknown(&self.name)],
            ["status".to_owned(), or_unknown(&self.status)],
            ["platform".to_owned(), or_unknown(&self.platform)],
            ["quality".to_owned(), or_unknown(&self.quality)],
            ["messaging limit".to_owned(), or_unknown(&self.messaging_limit)],
            ["account".to_owned(), or_unknown(&self.account)],
            ["subscribed apps".to_owned(), self.apps.as_deref().map_or_else(|| "unknown".to_owned(), list)],
        ]);
        table.add_rows(self.webhooks.iter().map(|(level, url)| [format!("webhook of {level}"), url.clone()]));
        table.add_rows(self.calling.iter().map(|(key, value)| [(*key).to_owned(), value.clone()]));
        table.add_row(["restrictions".to_owned(), list(&self.restrictions)]);
        table
    }
}
