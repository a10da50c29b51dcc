//! Runs a simulated business by hand: `sim-business --listen 127.0.0.1:9100 --key "a key of the shop"`.

use anyhow::Context;
use clap::Parser;
use serde_json::{Map, Value};
use sim_business::{Business, Fault, KEY};
use std::io::Write;
use std::net::SocketAddr;

/// A business's own system, simulated on this machine: it knows its customers, looks orders up, and takes outcomes of calls.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:9100")]
    listen: SocketAddr,
    /// The one key whose signatures it accepts.
    #[arg(long, default_value = KEY)]
    key: String,
    /// A customer: the digits of a number, and what is known, as `35699000001={"customer_name":"Amina"}`. May be repeated.
    #[arg(long, value_parser = customer)]
    customer: Vec<(String, Map<String, Value>)>,
    /// A fault to inject, such as `lookup-late` or `after-lost-reply`. May be repeated.
    #[arg(long = "fault", value_name = "NAME")]
    faults: Vec<Fault>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let business = Business::start_at(arguments.listen, &arguments.key).await?;
    business.set_faults(&arguments.faults);
    for (number, known) in arguments.customer {
        business.add_customer(&number, known);
    }
    writeln!(std::io::stderr(), "The business is at {}: /caller, /orders, /calls", business.url())?;
    tokio::signal::ctrl_c().await.context("cannot wait for ctrl-c")?;
    for delivery in business.deliveries() {
        let again = if delivery.is_duplicate { ", again" } else { "" };
        writeln!(std::io::stdout(), "{}{again}: {}", delivery.id, delivery.body)?;
    }
    for complaint in business.complaints() {
        writeln!(std::io::stdout(), "wrong: {complaint}")?;
    }
    writeln!(std::io::stdout(), "{} requests had a wrong signature or none", business.forged())?;
    Ok(())
}

fn customer(text: &str) -> Result<(String, Map<String, Value>), String> {
    let (number, known) = text.split_once('=').ok_or("it is NUMBER={…}")?;
    let known = serde_json::from_str(known).map_err(|error| error.to_string())?;
    Ok((number.to_owned(), known))
}
