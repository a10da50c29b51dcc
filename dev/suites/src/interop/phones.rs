//! One interface to all callers: what they can do, and what they report.

use super::process::Process;
use super::{Cell, Form, Maker, offer_form};
use anyhow::Context;
use serde_json::json;
use sim_audio::{Clip, wav};
use sim_meta::{Call, CallerConfig, ExternalCall, Meta, ProtocolViolation};
use std::path::Path;
use std::time::{Duration, Instant};

/// A browser on a busy machine takes its time to start.
const STARTS_WITHIN: Duration = Duration::from_secs(45);

/// A business that does not answer within this has lost its caller.
const ANSWERED_WITHIN: Duration = Duration::from_secs(40);

/// The longest wait for the other side in mid-call.
const PATIENCE: Duration = Duration::from_secs(15);

/// A caller, and its call.
pub(super) enum Phone {
    /// `str0m`, in Meta's simulation.
    Ours(Call),
    /// Another one, in a process of its own.
    Foreign {
        process: Box<Process>,
        call: ExternalCall,
        version: String,
        /// When the caller was given the answer.
        answered: Instant,
    },
}

#[derive(Debug, Clone, Default)]
pub(super) struct CallerReport {
    /// All that was heard, 24 kHz.
    pub(super) heard: Vec<i16>,
    pub(super) received: u64,
    /// Packets that did not, as the caller counts.
    pub(super) lost: Option<i64>,
    pub(super) reports: bool,
    /// What the product did wrong, as Meta's simulation sees it.
    pub(super) faults: Vec<String>,
}

impl Phone {
    /// Rings, as the `n`th caller of a testbed.
    pub(super) async fn ring(meta: &Meta, cell: Cell, n: u32, log: &Path) -> anyhow::Result<Self> {
        let caller = CallerConfig {
            keeps_recording: true,
            spares_effort: false,
            relay_ip: cell.family.ip(),
            full_ice: cell.maker == Maker::Str0mFull,
            old_offer_form: cell.form == Form::WhatsAppOld,
            ..CallerConfig::of_many(n)
        };
        match cell.maker {
            Maker::Str0mLite | Maker::Str0mFull => Ok(Self::Ours(meta.ring(caller).await?)),
            Maker::Aiortc | Maker::Chromium => Self::ring_from_elsewhere(meta, cell, caller, log).await,
        }
    }

    async fn ring_from_elsewhere(
        meta: &Meta,
        cell: Cell,
        caller: CallerConfig,
        log: &Path,
    ) -> anyhow::Result<Self> {
        let mut process = Process::start(cell, log)?;
        let (_, told) = process.event("offer", STARTS_WITHIN).await?;
        let own = told["sdp"].as_str().context("an offer is text")?;
        let offer = match cell.form {
            Form::Own => own.to_owned(),
            Form::WhatsApp | Form::WhatsAppOld => offer_form::whatsapp(own)?,
        };
        let call = meta.ring_with_offer(caller, offer)?;
        let answer = match call.answer(ANSWERED_WITHIN).await {
            Ok(answer) => offer_form::back(&answer, own),
            Err(error) => {
                call.call().hang_up().await;
                return Err(error.into());
            }
        };
        let answered = Instant::now();
        process.ask(json!({ "do": "answer", "sdp": answer })).await?;
        let version = told["version"].as_str().unwrap_or_default().to_owned();
        Ok(Self::Foreign { process: Box::new(process), call, version, answered })
    }

    pub(super) fn id(&self) -> &str {
        self.call().id()
    }

    fn call(&self) -> &Call {
        match self {
            Self::Ours(call) => call,
            Self::Foreign { call, .. } => call.call(),
        }
    }

    /// What the caller says it is made of.
    pub(super) fn version(&self) -> Option<&str> {
        match self {
            Self::Ours(_) => None,
            Self::Foreign { version, .. } => Some(version),
        }
    }

    /// Returns when ICE and DTLS are done: how long after the caller got the answer.
    pub(super) async fn connected(&mut self) -> anyhow::Result<Duration> {
        match self {
            Self::Ours(call) => {
                let both = call
                    .wait_until("ICE and DTLS", ANSWERED_WITHIN, |report| {
                        Some((report.pre_accepted?, report.dtls_connected?))
                    })
                    .await?;
                Ok(both.1.saturating_duration_since(both.0))
            }
            Self::Foreign { process, answered, .. } => {
                let (at, _) = process.event("connected", PATIENCE).await?;
                Ok(at.saturating_duration_since(*answered))
            }
        }
    }

    pub(super) async fn accepted(&self) -> anyhow::Result<()> {
        self.call().answered(ANSWERED_WITHIN).await?;
        Ok(())
    }

    /// Hears the agent out.
    pub(super) async fn hear_out(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Ours(call) => {
                call.agent_speaks(PATIENCE).await?;
                call.agent_falls_silent(PATIENCE).await?;
            }
            Self::Foreign { process, call, .. } => {
                process.event("voice", PATIENCE).await?;
                call.media_came();
                process.event("silence", PATIENCE).await?;
            }
        }
        Ok(())
    }

    /// Says something; `file` is where a process may read it.
    pub(super) async fn say(&mut self, clip: &Clip, file: &Path) -> anyhow::Result<()> {
        match self {
            Self::Ours(call) => call.say(clip).await?,
            Self::Foreign { process, .. } => {
                wav::write(file, &clip.samples)?;
                process.say(file, PATIENCE).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn press(&mut self, keys: &str) -> anyhow::Result<()> {
        match self {
            Self::Ours(call) => call.press(keys).await?,
            Self::Foreign { process, .. } => {
                process.ask(json!({ "do": "press", "keys": keys })).await?;
                process.event("pressed", PATIENCE).await?;
            }
        }
        Ok(())
    }

    /// What came so far; `file` is where it is kept.
    pub(super) async fn tell(&mut self, file: &Path) -> anyhow::Result<CallerReport> {
        match self {
            Self::Ours(call) => {
                let (heard, report) = (call.recording(), call.report());
                wav::write(file, &heard)?;
                // How late packets are, a benchmark tells; here a browser keeps the machine busy.
                let late = |fault: &&ProtocolViolation| {
                    matches!(fault, ProtocolViolation::Gap(_) | ProtocolViolation::Burst(_))
                };
                let faults =
                    report.violations.iter().filter(|fault| !late(fault)).map(ToString::to_string).collect();
                let traffic = report.traffic;
                Ok(CallerReport {
                    heard,
                    received: traffic.packets,
                    lost: None,
                    reports: traffic.reports > 0,
                    faults,
                })
            }
            Self::Foreign { process, .. } => {
                process.ask(json!({ "do": "report", "wav": file })).await?;
                let (_, told) = process.event("report", PATIENCE).await?;
                let came = |name: &str| told[name].as_u64().unwrap_or_default() > 0;
                Ok(CallerReport {
                    heard: wav::parse(&std::fs::read(file)?)?,
                    received: told["received"].as_u64().unwrap_or_default(),
                    lost: told["lost"].as_i64(),
                    reports: came("sender_reports") && came("receiver_reports"),
                    faults: vec![],
                })
            }
        }
    }

    /// Hangs up. Whether the product said goodbye on the wire; `None` from those who cannot tell.
    pub(super) async fn hang_up(self) -> anyhow::Result<Option<bool>> {
        self.call().hang_up().await;
        let known = self.call().business_knows_of_the_end(PATIENCE).await;
        let goodbye = match self {
            Self::Ours(_) => None,
            Self::Foreign { mut process, .. } => {
                let goodbye = process.event("closed", PATIENCE).await.is_ok();
                process.end(PATIENCE).await;
                Some(goodbye)
            }
        };
        known?;
        Ok(goodbye)
    }
}
