//! Calls a business by hand: starts Graph, rings, asks, listens, hangs up. The journal goes to stderr, a summary to stdout.

use anyhow::{Context, anyhow};
use clap::Parser;
use sim_audio::clips::{self, Clip};
use sim_meta::{Call, CallerConfig, InjectedFault, Meta, MetaConfig, OfferVariant, Summary};
use std::io::Write;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// A WhatsApp caller, and Meta's cloud around it, on this machine.
#[derive(Parser)]
struct Options {
    /// The business's webhook.
    #[arg(long, default_value = "http://127.0.0.1:8080/webhook")]
    webhook: String,
    /// Where Graph listens: the business's GRAPH_URL is `http://127.0.0.1:<port>/v26.0`.
    #[arg(long, default_value_t = 8099)]
    graph_port: u16,
    /// Signs the webhooks.
    #[arg(long, env = "META_APP_SECRET", hide_env_values = true)]
    app_secret: String,
    /// What the webhook's verification brings.
    #[arg(long, env = "META_VERIFY_TOKEN", hide_env_values = true)]
    verify_token: String,
    /// The bearer token Graph asks for.
    #[arg(long, env = "META_ACCESS_TOKEN", hide_env_values = true)]
    access_token: String,
    /// The id of the business number that is called.
    #[arg(long, default_value = "220000000000002")]
    phone_number_id: String,
    /// Faults to inject, separated by commas; the README lists them.
    #[arg(long = "fault", alias = "mischief", value_name = "NAME", value_delimiter = ',')]
    faults: Vec<InjectedFault>,
    /// Offer in the older form that Meta's documentation prints.
    #[arg(long)]
    old_offer_form: bool,
    /// What the offer has that none of Meta's has had so far, separated by commas; the README lists it.
    #[arg(long, value_delimiter = ',')]
    offer: Vec<OfferVariant>,
    /// Where to keep what the phone's speaker played, as a WAV file.
    #[arg(long)]
    record: Option<PathBuf>,
    /// What the caller says, by the name of its recording, each time that the agent is silent. `a+b`: says `a`, and breaks in
    /// with `b` when the agent has spoken for a second. May be repeated.
    #[arg(long, default_value = "caller-question")]
    say: Vec<Turn>,
    /// Once all is said, waits for the business to hang up.
    #[arg(long)]
    stay: bool,
    /// How long to wait for each thing the business should do, in seconds.
    #[arg(long, default_value_t = 30)]
    patience: u64,
}

/// How long the caller listens before breaking in.
const LISTENS: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("sim_meta=info"));
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter).init();

    let meta = Meta::start(config(&options)).await?;
    meta.set_webhook_url(&options.webhook);
    tracing::info!("Graph listens at {}", meta.graph_url());
    meta.verify_webhook().await.context("is the business up?")?;

    let caller = CallerConfig {
        old_offer_form: options.old_offer_form,
        offer: options.offer.clone(),
        faults: options.faults.clone(),
        ..CallerConfig::default()
    };
    let call = meta.ring(caller).await?;
    let talk = talk(&call, &options).await;
    call.hang_up().await;
    let known = call.business_knows_of_the_end(Duration::from_secs(5)).await;
    if let Some(path) = &options.record {
        sim_audio::wav::write(path, &call.recording()).context("cannot keep the recording")?;
    }
    writeln!(std::io::stdout(), "{}", Summary::of(&call)).context("cannot print the summary")?;
    meta.stop().await;
    talk?;
    known?;
    Ok(())
}

fn config(options: &Options) -> MetaConfig {
    MetaConfig {
        app_secret: options.app_secret.clone(),
        verify_token: options.verify_token.clone(),
        access_token: options.access_token.clone(),
        phone_number_id: options.phone_number_id.clone(),
        graph_port: options.graph_port,
        ..MetaConfig::default()
    }
}

/// Hears the greeting out; then says what is to be said, and hears each answer out.
async fn talk(call: &Call, options: &Options) -> Result<(), sim_meta::WaitError> {
    let patience = Duration::from_secs(options.patience);
    call.answered(patience).await?;
    hear_out(call, patience).await?;
    for (n, turn) in (1..).zip(&options.say) {
        call.say(&turn.first).await?;
        if let Some(second) = &turn.second {
            call.agent_speaks(patience).await?;
            tokio::time::sleep(LISTENS).await;
            call.say(second).await?;
        }
        if options.stay && n == options.say.len() {
            call.ended(patience).await?;
        } else {
            hear_out(call, patience).await?;
        }
    }
    Ok(())
}

async fn hear_out(call: &Call, patience: Duration) -> Result<(), sim_meta::WaitError> {
    call.agent_speaks(patience).await?;
    call.agent_falls_silent(patience).await?;
    Ok(())
}

/// What the caller says, and with what they break into the answer.
#[derive(Debug, Clone)]
struct Turn {
    first: Clip,
    second: Option<Clip>,
}

impl FromStr for Turn {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let clip = |name: &str| clips::named(name).ok_or_else(|| anyhow!("there is no recording {name}"));
        match text.split_once('+') {
            Some((first, second)) => Ok(Self { first: clip(first)?, second: Some(clip(second)?) }),
            None => Ok(Self { first: clip(text)?, second: None }),
        }
    }
}
