//! `ahoy number show`: the business number as Meta has it.

use super::doctor::meta_of;
use crate::Common;
use crate::fetched::Fetched;
use crate::meta::{Change, Facts, Field};
use crate::output;
use crate::prompt::Busy;
use crate::site::Site;
use clap::{Args, Subcommand};
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;
use std::collections::BTreeMap;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub enum Number {
    /// Show the number as Meta has it: its state, who is told of its calls, how it takes them.
    Show(Show),
}

#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    site: Site,
}

/// The number.
#[derive(Debug, Serialize)]
struct Shown {
    id: String,
    number: Option<String>,
    name: Option<String>,
    status: Option<String>,
    platform: Option<String>,
    quality: Option<String>,
    messaging_limit: Option<String>,
    /// Nothing when the account cannot be seen.
    account: Option<String>,
    /// Where webhooks go, by level.
    webhooks: BTreeMap<String, String>,
    /// The apps that are told; nothing when they cannot be seen.
    apps: Option<Vec<String>>,
    calling: BTreeMap<&'static str, String>,
    restrictions: Vec<String>,
}

impl Number {
    /// Does it.
    pub async fn run(&self, common: &Common) -> anyhow::Result<ExitCode> {
        match self {
            Self::Show(show) => show.run(common).await,
        }
    }
}

impl Show {
    async fn run(&self, common: &Common) -> anyhow::Result<ExitCode> {
        let meta = meta_of(&self.site, common).await;
        let facts = {
            let _busy = Busy::with("Asking Meta");
            meta.look().await
        };
        let shown = Shown::of(&facts)?;
        if common.json {
            output::json(&shown);
        } else {
            output::line(shown.table());
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Shown {
    fn of(facts: &Facts) -> Fetched<Self> {
        let (number, calling) = (facts.number.clone()?, facts.calling.clone()?);
        let apps = facts.apps.as_ref().ok();
        let fields = [Field::Status, Field::Icon, Field::Callback, Field::Keys, Field::Sip, Field::Hours];
        let setting = |field: Field| Some((field.key(), Change::now(facts, field)?));
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
        let or = |value: &Option<String>| value.clone().unwrap_or_else(|| "not told".to_owned());
        let list = |all: &[String]| if all.is_empty() { "none".to_owned() } else { all.join(", ") };
        table.add_rows([
            ["id".to_owned(), self.id.clone()],
            ["number".to_owned(), or(&self.number)],
            ["name".to_owned(), or(&self.name)],
            ["status".to_owned(), or(&self.status)],
            ["platform".to_owned(), or(&self.platform)],
            ["quality".to_owned(), or(&self.quality)],
            ["messaging limit".to_owned(), or(&self.messaging_limit)],
            ["account".to_owned(), or(&self.account)],
            ["apps told".to_owned(), self.apps.as_deref().map_or_else(|| "not told".to_owned(), list)],
        ]);
        table.add_rows(self.webhooks.iter().map(|(level, url)| [format!("webhook of {level}"), url.clone()]));
        table.add_rows(self.calling.iter().map(|(key, value)| [(*key).to_owned(), value.clone()]));
        table.add_row(["restrictions".to_owned(), list(&self.restrictions)]);
        table
    }
}
