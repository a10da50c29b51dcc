//! Calls a business by hand: starts Graph, rings, asks a question, listens, hangs up. The journal goes to stderr.

use anyhow::Context;
use clap::Parser;
use phone::{Call, CallerConfig, Meta, MetaConfig, Mischief, OfferVariant};
use std::path::PathBuf;
use std::time::Duration;
use tone::clips;
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
    /// What goes wrong, if anything, separated by commas; the README lists what can.
    #[arg(long, value_delimiter = ',')]
    mischief: Vec<Mischief>,
    /// Offer in the older form that Meta's documentation prints.
    #[arg(long)]
    old_offer_form: bool,
    /// What the offer has that none of Meta's has had so far, separated by commas; the README lists it.
    #[arg(long, value_delimiter = ',')]
    offer: Vec<OfferVariant>,
    /// Where to keep what the phone's speaker played, as a WAV file.
    #[arg(long)]
    record: Option<PathBuf>,
    /// How long to wait for each thing the business should do, in seconds.
    #[arg(long, default_value_t = 30)]
    patience: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("phone=info"));
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter).init();

    let meta = Meta::start(config(&options)).await?;
    meta.set_webhook_url(&options.webhook);
    tracing::info!("Graph listens at {}", meta.graph_url());
    meta.verify_webhook().await.context("is the business up?")?;

    let caller = CallerConfig {
        old_offer_form: options.old_offer_form,
        offer: options.offer.clone(),
        mischief: options.mischief.clone(),
        ..CallerConfig::default()
    };
    let call = meta.ring(caller).await?;
    let talk = talk(&call, Duration::from_secs(options.patience)).await;
    call.hang_up().await;
    let told = call.business_knows_of_the_end(Duration::from_secs(5)).await;
    if let Some(path) = &options.record {
        tone::wav::write(path, &call.recording()).context("cannot keep the recording")?;
    }
    tracing::info!("{:#?}", call.report());
    meta.stop().await;
    talk?;
    told?;
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

/// Hears the greeting out, asks, and hears the answer out.
async fn talk(call: &Call, patience: Duration) -> Result<(), phone::WaitError> {
    call.answered(patience).await?;
    call.agent_speaks(patience).await?;
    call.agent_falls_silent(patience).await?;
    call.say(&clips::caller_question()).await?;
    call.agent_speaks(patience).await?;
    call.agent_falls_silent(patience).await?;
    Ok(())
}
