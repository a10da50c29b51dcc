//! One call through a network: its conversation and its result.

use anyhow::Context;
use harness::testbed::Testbed;
use journal::JournalEvent;
use local::eventually_every;
use sim_audio::hearing::{HEARD, find};
use sim_audio::{Clip, FRAME, clips, samples};
use sim_meta::{Call, CallerConfig, WaitError};
use sim_network::{LinkCounts, Profile};
use std::fmt;
use std::future::ready;
use std::time::Duration;
use store::call_ref;
use tokio::sync::Mutex;

/// The pause between two sentences: no turn ends in it, and speech is active for four fifths of the time or less, as
/// PESQ wants it (ITU-T P.862.3, section 7).
const PAUSE: Duration = Duration::from_millis(700);

/// How many pieces a part has. PESQ is made for pieces of 8 to 12 s, with silence at their ends.
const PIECES: usize = 3;

/// How long a muted caller stays in the call.
const MUTED: Duration = Duration::from_secs(120);

/// A business that does not pick up within this has lost its caller.
const ANSWERED_WITHIN: Duration = Duration::from_secs(40);

/// How long an agent may be silent before its turn counts as over.
const SPEAKS_WITHIN: Duration = Duration::from_secs(10);

/// The longest utterance.
const SILENT_WITHIN: Duration = Duration::from_secs(60);

/// How much of an answer must be heard to know that it is the answer.
const ENOUGH: Duration = Duration::from_millis(1_900);

/// So much of it is heard within this after it begins; the longest delay of a network is 0.7 s, and it changes while the agent speaks.
const HEARD_WITHIN: Duration = Duration::from_secs(6);

/// Everything that follows the end of a call is done within this.
const SETTLED_WITHIN: Duration = Duration::from_secs(40);

/// The course of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scenario {
    /// The caller talks for long, the agent answers at length, the caller asks, is answered.
    Converses { network: Profile },
    /// The same, and in the middle of what the caller says nothing gets through for 3 s.
    CutOffSpeaking,
    /// The caller asks first, and in the middle of the long answer nothing gets through for 3 s.
    CutOffListening,
    /// The caller says nothing for two minutes, which the phone sends as packets of silence. Then the caller asks.
    SaysNothing,
    /// The phone is muted for two minutes, and sends no packets of sound. Then the caller asks.
    IsMuted,
}

#[derive(Debug)]
pub(super) struct ScenarioResult {
    pub(super) scenario: Scenario,
    /// The wait in vain that cut the call short.
    pub(super) cut_short: Option<String>,
    pub(super) is_answered: bool,
    pub(super) up: Vec<i16>,
    pub(super) down: Vec<i16>,
    /// The network's effect on the caller's packets, and on the agent's.
    pub(super) tolls: (LinkCounts, LinkCounts),
    /// How many of the caller's packets the product recovered by error correction.
    pub(super) recovered: u64,
    /// The longest time without a packet from the agent, at the phone.
    pub(super) longest_gap: Duration,
}

impl Scenario {
    pub(super) fn network(self) -> Profile {
        match self {
            Self::Converses { network } => network,
            Self::CutOffSpeaking | Self::CutOffListening => Profile::ConnectionLoss,
            Self::SaysNothing | Self::IsMuted => Profile::Clean,
        }
    }

    /// Whether the caller says all of their part.
    pub(super) fn is_said(self) -> bool {
        matches!(self, Self::Converses { .. } | Self::CutOffSpeaking)
    }

    /// Whether the agent says all of its part.
    pub(super) fn is_replied(self) -> bool {
        matches!(self, Self::Converses { .. } | Self::CutOffListening)
    }

    /// How long without voice the agent counts as silent: longer than any gap of the network.
    fn quiet(self) -> Duration {
        match self {
            Self::Converses { .. } | Self::SaysNothing | Self::IsMuted => Duration::from_secs(1),
            Self::CutOffSpeaking | Self::CutOffListening => Duration::from_secs(4),
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Converses { network } => write!(f, "{network}"),
            Self::CutOffSpeaking => f.write_str("outage, caller speaks"),
            Self::CutOffListening => f.write_str("outage, agent speaks"),
            Self::SaysNothing => f.write_str("silent for 2 min"),
            Self::IsMuted => f.write_str("muted for 2 min"),
        }
    }
}

/// What the caller says at length, piece by piece.
pub(super) fn callers_pieces() -> [Clip; PIECES] {
    use clips::{caller_directions, caller_interrupts, caller_order, caller_question, caller_thanks};
    [
        piece([caller_question(), caller_directions(), caller_interrupts()]),
        piece([caller_order(), caller_thanks(), caller_question()]),
        piece([caller_interrupts(), caller_order(), caller_directions()]),
    ]
}

/// What the agent says at length, piece by piece.
pub(super) fn agents_pieces() -> [Clip; PIECES] {
    use clips::{agent_answer, agent_closing, agent_goodbye, agent_greeting, agent_keys, agent_moment};
    [
        piece([agent_answer(), clips::agent_order(), agent_moment()]),
        piece([agent_greeting(), agent_closing(), clips::agent_nudge()]),
        piece([clips::agent_sorry(), agent_keys(), agent_goodbye()]),
    ]
}

/// All pieces, one after the other.
pub(super) fn part<const N: usize>(pieces: &[Clip; N]) -> Clip {
    let mut part = Clip { name: "part".to_owned(), text: String::new(), samples: Vec::new() };
    for piece in pieces {
        part.text += &piece.text;
        part.samples.extend(&piece.samples);
    }
    part
}

/// Sentences, each with a pause after it.
fn piece<const N: usize>(sentences: [Clip; N]) -> Clip {
    let mut piece = Clip { name: "piece".to_owned(), text: String::new(), samples: Vec::new() };
    for sentence in sentences {
        piece.text += &sentence.text;
        piece.text += " ";
        piece.samples.extend(sentence.samples);
        let end = (piece.samples.len() + samples(PAUSE)).next_multiple_of(FRAME);
        piece.samples.resize(end, 0);
    }
    piece
}

/// Makes a call. `ringing` is held while it rings.
pub(super) async fn run(
    testbed: &Testbed,
    scenario: Scenario,
    seed: u64,
    ringing: &Mutex<()>,
) -> anyhow::Result<ScenarioResult> {
    let caller = CallerConfig {
        network: Some(scenario.network()),
        network_seed: seed,
        quiet: scenario.quiet(),
        keeps_recording: true,
        spares_effort: false,
        ..CallerConfig::of_many(seed as u32)
    };
    let only_one = ringing.lock().await;
    let call = testbed.meta.ring(caller).await?;
    let answered = call.answered(ANSWERED_WITHIN).await;
    let session = testbed.model.sessions().len();
    drop(only_one);

    let held = match answered {
        Ok(_) => hold(&call, scenario).await,
        Err(in_vain) => Err(in_vain),
    };
    call.hang_up().await;
    // A call that was lost may never get it.
    let _ = call.terminated(SETTLED_WITHIN).await;
    let call_ref = call_ref(call.id());
    testbed.calls.settled(&call_ref, SETTLED_WITHIN).await?;
    let journal = testbed.calls.journal(&call_ref).await?;
    let recovered = journal.iter().find_map(|entry| match entry.event {
        JournalEvent::Media { recovered, .. } => Some(recovered),
        _ => None,
    });
    let sessions = testbed.model.sessions();
    let up = session.checked_sub(1).and_then(|n| sessions.get(n)).map(|session| session.heard.clone());
    Ok(ScenarioResult {
        scenario,
        is_answered: held.as_ref().is_ok_and(|is_answered| *is_answered),
        cut_short: held.err().map(|in_vain| in_vain.to_string()),
        up: up.unwrap_or_default(),
        down: call.recording(),
        tolls: call.link_counts().context("the caller is in a network")?,
        recovered: recovered.unwrap_or_default(),
        longest_gap: call.report().traffic.longest_gap,
    })
}

/// Holds the conversation; whether the last question was answered.
async fn hold(call: &Call, scenario: Scenario) -> Result<bool, WaitError> {
    hear_out(call).await?;
    match scenario {
        Scenario::Converses { .. } | Scenario::CutOffSpeaking => {
            call.say(&part(&callers_pieces())).await?;
            hear_out(call).await?;
        }
        Scenario::CutOffListening => {
            call.say(&clips::caller_question()).await?;
            hear_out(call).await?;
        }
        // Nothing happens in these two minutes: only time passes.
        Scenario::SaysNothing => tokio::time::sleep(MUTED).await,
        Scenario::IsMuted => {
            call.mute();
            tokio::time::sleep(MUTED).await;
            call.unmute();
        }
    }
    ask_again(call, scenario).await
}

/// Asks, and listens whether it is answered.
async fn ask_again(call: &Call, scenario: Scenario) -> Result<bool, WaitError> {
    let answer = match scenario {
        Scenario::Converses { .. } | Scenario::CutOffSpeaking | Scenario::CutOffListening => {
            clips::agent_closing()
        }
        // Nothing was asked before.
        Scenario::SaysNothing | Scenario::IsMuted => part(&agents_pieces()),
    };
    let heard_before = call.recording().len();
    call.say(&clips::caller_question()).await?;
    call.agent_speaks(SPEAKS_WITHIN).await?;
    let beginning = beginning(answer, ENOUGH).samples;
    let is_heard = || {
        let found = find(&beginning, &call.recording().split_off(heard_before));
        ready(Ok(found.filter(|found| found.correlation >= HEARD)))
    };
    let found = eventually_every(Duration::from_millis(200), HEARD_WITHIN, is_heard).await;
    Ok(found.is_ok_and(|found| found.is_some()))
}

async fn hear_out(call: &Call) -> Result<(), WaitError> {
    call.agent_speaks(SPEAKS_WITHIN).await?;
    call.agent_falls_silent(SILENT_WITHIN).await?;
    Ok(())
}

fn beginning(mut clip: Clip, lasts: Duration) -> Clip {
    clip.samples.truncate(samples(lasts));
    clip
}
