//! A call to be placed: who calls which number, with which headers, and what the caller does.

use super::SipFault;
use sim_audio::Clip;
use std::time::Duration;

/// A call to be placed by a carrier.
#[derive(Debug, Clone)]
pub struct CallSpec {
    /// The caller's number, as `+35699000001`, or any user part of a SIP URI.
    pub from: String,
    /// The number that was dialled; it shows in `Diversion`, as forwarded calls have it, for `To` names the project.
    pub dialled: String,
    /// More headers. One that is sent anyway (`From`, `To`, `Call-ID`, `Diversion`, in any form) replaces it.
    pub headers: Vec<(String, String)>,
    /// `sip_media_security`; `None` leaves it out. Default: `srtp`.
    pub media_security: Option<String>,
    /// What the caller does once it is answered. Afterwards the caller stays, silent.
    pub script: Vec<CallerStep>,
    /// How long it may ring until the caller gives up; `None`: as long as the service waits.
    pub rings_for: Option<Duration>,
    /// What goes wrong with this call, instead of what the simulator's configuration says.
    pub fault: Option<SipFault>,
}

/// What a caller does next.
#[derive(Debug, Clone, PartialEq)]
pub enum CallerStep {
    /// Waits for the agent to say something, and to fall silent.
    HearOut,
    /// Waits until the agent has spoken for this long: to interrupt.
    HearFor(Duration),
    /// Waits.
    Wait(Duration),
    /// Says a sentence.
    Say(Clip),
    /// Presses keys, one each quarter of a second.
    Press(String),
    /// Hangs up.
    HangUp,
}

impl CallSpec {
    /// A call that is encrypted and without a script.
    pub fn new(from: impl Into<String>, dialled: impl Into<String>) -> Self {
        Self {
            from: from.into(),
            dialled: dialled.into(),
            headers: vec![],
            media_security: Some("srtp".to_owned()),
            script: vec![],
            rings_for: None,
            fault: None,
        }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a caller who does this.
    #[must_use]
    pub fn script(self, script: impl IntoIterator<Item = CallerStep>) -> Self {
        Self { script: script.into_iter().collect(), ..self }
    }

    /// With a fault of its own.
    #[must_use]
    pub fn fault(self, fault: SipFault) -> Self {
        Self { fault: Some(fault), ..self }
    }
}
