//! Runs one call: a single loop that joins its WebRTC peer, the audio bridge and the model. The loop alone owns the call's
//! state, so there are no locks, and it awaits nothing but the next input.
//!
//! | module | what it does |
//! |---|---|
//! | `answer_progress` | decides when a ringing call may be accepted |
//! | `accepting` | asks call-control to accept the call, and opens the media path |
//! | `incoming_media` | the caller's datagrams: RTP audio, DTMF, RTCP |
//! | `outgoing_media` | the bridge's outputs: frames to send, barge-in, DTMF digits, nudges |
//! | `media_monitor` | feeds the media diagnosis, and writes its findings to the journal |
//! | `model_events` | the model's events: speech, transcripts, tool calls, session losses |
//! | `tool_uses` | runs tool calls beside the call |
//! | `action_budget` | caps on messages and tool calls, per call and per caller and hour |
//! | `hosted_tools` | MCP tools that the model's provider calls itself |
//! | `farewell` | the goodbye before the call is hung up |
//! | `level_meter` | audio levels of both sides |
//! | `spending` | decides when the cost is counted, and when the day's spending cap ends the call |
//! | `accounts` | media statistics, token usage and cost, for journal and summary |
//! | `transcript` | who said what, in order, and of the agent only what the caller heard |
//! | `outage_message` | the recorded message for when no model is available |
//! | `ending` | writes transcript and summary, and reports the end to call-control |

mod accepting;
mod accounts;
mod action_budget;
mod answer_progress;
mod ending;
mod farewell;
mod hosted_tools;
mod incoming_media;
mod level_meter;
mod media_monitor;
mod model_events;
mod outage_message;
mod outgoing_media;
mod spending;
mod tool_uses;
mod transcript;

use crate::agent_cache::LoadedAgent;
use crate::codec::{OpusDecoder, OpusEncoder};
use crate::journal_writer::JournalWriter;
use crate::lateness_meter::LatenessMeter;
use crate::lifecycle::task_protection::TaskProtection;
use crate::model::{ModelPort, SocketInput};
use crate::settings::MediaSecret;
use crate::webrtc::Peer;
use accounts::SpendingCount;
use answer_progress::AnswerProgress;
use audio::{Bridge, EncoderTuning};
use bytes::Bytes;
use call::Ending;
use farewell::Farewell;
use internal_api::client::CallControl;
use internal_api::order::Reply;
use journal::{CallSummary, EntryBuilder, JournalEvent};
use level_meter::LevelMeter;
use media_diagnosis::MediaMonitor;
pub(crate) use media_monitor::enable_icmp_errors;
use realtime::Usage;
use service::secrets::Secret;
use service::time::now_ms;
use spending::SpendingTracker;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::Store;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tool_uses::{ToolUsed, ToolUses};
use tools::CallContext;
use transcript::Transcript;

/// Samples of the caller's audio in one append to the model: 40 ms.
const APPEND_SAMPLES: usize = 2 * audio::SAMPLES;

/// The most samples that one Opus packet adds to an append: 120 ms.
const MAX_PACKET_SAMPLES: usize = 6 * audio::SAMPLES;

/// The largest datagram that is read whole, bytes.
const MAX_DATAGRAM: usize = 2_048;

/// Everything a [`CallSession`] is built from.
pub(crate) struct CallSessionParts {
    /// SHA-256 of Meta's call id, by which logs and journals name the call.
    pub(crate) call_ref: String,
    /// Meta's id of the business number that was called.
    pub(crate) number: String,
    /// Whether Meta hides the caller's phone number.
    pub(crate) hides_number: bool,
    /// The caller's pseudonym, if Meta says who calls.
    pub(crate) caller: Option<String>,
    /// The fencing token of this task's assignment.
    pub(crate) fence: u64,
    /// The secret token of this task's assignment, if the offer had one.
    pub(crate) token: Option<String>,
    /// When the ring time is over.
    pub(crate) deadline: Instant,
    /// The call's own UDP socket.
    pub(crate) socket: UdpSocket,
    /// The WebRTC connection.
    pub(crate) peer: Peer,
    /// The highest Opus bitrate that the far side accepts, bit/s.
    pub(crate) bits_per_second: u32,
    /// Diagnoses missing or one-way media.
    pub(crate) monitor: MediaMonitor,
    /// The agent that answers, from its file.
    pub(crate) agent: Arc<LoadedAgent>,
    /// Signs the requests of HTTP tools; it may be rotated during the call.
    pub(crate) secret: Secret<MediaSecret>,
    /// The name of the Realtime model.
    pub(crate) model_name: String,
    /// The connection to the model.
    pub(crate) model: ModelPort,
    /// Builds the call's journal entries.
    pub(crate) entries: EntryBuilder,
    /// Writes journal entries, transcript lines and the summary to the table.
    pub(crate) journal: JournalWriter,
    /// The table, in which spending is counted.
    pub(crate) store: Store,
    /// Asks call-control, which alone talks to Meta.
    pub(crate) control: CallControl,
    /// ECS task protection; `None` where the task belongs to no service.
    pub(crate) protection: Option<Arc<TaskProtection>>,
    /// How late this task sends frames, all of its calls together.
    pub(crate) lateness: Arc<LatenessMeter>,
    /// Commands from the control API.
    pub(crate) commands: mpsc::Receiver<SessionCommand>,
}

/// A command for a running call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SessionCommand {
    /// The call is over, as call-control says.
    Release,
    /// The task is draining: the agent says goodbye, then the call ends. A second one ends the call at once.
    Drain,
    /// The WhatsApp message that the agent sent under this id has failed.
    MessageFailed(String),
}

/// The number of a request to accept the call, and call-control's reply to it.
type ControlReply = (u64, anyhow::Result<Reply>);

/// An input of the session's loop.
enum SessionInput {
    Datagram(usize, SocketAddr),
    /// An ICMP error for an earlier datagram; later ones may still arrive.
    IcmpError(std::io::Error),
    Model(SocketInput),
    Reply(ControlReply),
    ToolEnded(ToolUsed),
    SpendingCounted(SpendingCount),
    Command(Option<SessionCommand>),
    Timeout,
}

/// How a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SessionEnd {
    /// Call-control already knows that the call is over.
    Reported,
    /// Call-control must be told this ending.
    Unreported(Ending),
}

struct CallSession {
    parts: CallSessionParts,
    bridge: Bridge<Bytes>,
    decoder: OpusDecoder,
    encoder: OpusEncoder,
    tuning: EncoderTuning,
    answering: AnswerProgress,
    replies: (mpsc::Sender<ControlReply>, mpsc::Receiver<ControlReply>),
    tools: ToolUses,
    transcript: Transcript,
    levels: Option<LevelMeter>,
    usage: Usage,
    spending: SpendingTracker,
    counts: (mpsc::Sender<SpendingCount>, mpsc::Receiver<SpendingCount>),
    summary: CallSummary,
    /// Whether the agent has spoken since the caller last spoke.
    has_spoken: bool,
    farewell: Option<Farewell>,
    is_draining: bool,
    offered_at: Instant,
    caller_samples: Vec<i16>,
    was_speaking: bool,
    /// Whether the journal already says that transcription fails: it says so once a call.
    has_noted_transcription_failure: bool,
    end: Option<SessionEnd>,
}

/// Runs a call until it is over and everything about it is written.
pub(crate) async fn run(parts: CallSessionParts) {
    let mut session = CallSession::new(parts);
    let end = session.run().await;
    session.finish(end).await;
}

impl CallSession {
    fn new(parts: CallSessionParts) -> Self {
        let now = Instant::now();
        let agent = &parts.agent;
        let tuning = EncoderTuning::new(parts.bits_per_second);
        Self {
            bridge: Bridge::new(agent.limits(), agent.turns(), agent.keypad()),
            decoder: OpusDecoder::new(),
            encoder: OpusEncoder::new(tuning.settings()),
            tuning,
            answering: AnswerProgress::new(now, parts.deadline),
            replies: mpsc::channel(4),
            tools: ToolUses::new(
                CallContext::new(&parts.call_ref, &parts.number, &agent.file.name),
                parts.hides_number,
                agent.file.caps,
            ),
            transcript: Transcript::default(),
            levels: None,
            usage: Usage::default(),
            spending: SpendingTracker::new(agent.file.caps.dollars_a_day),
            counts: mpsc::channel(1),
            summary: CallSummary {
                call_ref: parts.call_ref.clone(),
                number: parts.number.clone(),
                agent: agent.file.name.clone(),
                model: parts.model_name.clone(),
                without: agent.without().iter().map(|part| part.name().to_owned()).collect(),
                ..CallSummary::default()
            },
            has_spoken: false,
            farewell: None,
            is_draining: false,
            offered_at: now,
            caller_samples: Vec::with_capacity(APPEND_SAMPLES + MAX_PACKET_SAMPLES),
            was_speaking: false,
            has_noted_transcription_failure: false,
            end: None,
            parts,
        }
    }

    async fn run(&mut self) -> SessionEnd {
        let mut datagram = [0; MAX_DATAGRAM];
        loop {
            let deadline = self.advance();
            if let Some(end) = self.end {
                return end;
            }
            let input = self.wait(&mut datagram, deadline).await;
            let now = Instant::now();
            self.note_wake(deadline, now);
            match input {
                SessionInput::Datagram(length, from) => self.handle_datagram(&datagram[..length], from, now),
                SessionInput::Model(input) => self.parts.model.handle(input, now),
                SessionInput::Reply((question, reply)) => self.handle_reply(question, reply, now),
                SessionInput::ToolEnded(used) => self.answer_tool(used, now),
                SessionInput::SpendingCounted(counted) => self.handle_count(counted),
                SessionInput::Command(Some(SessionCommand::Drain)) => self.drain(),
                SessionInput::Command(Some(SessionCommand::MessageFailed(id))) => {
                    self.handle_failed_message(&id, now)
                }
                SessionInput::Command(Some(SessionCommand::Release) | None) => {
                    self.end = Some(SessionEnd::Reported)
                }
                SessionInput::IcmpError(error) => self.note_icmp_error(&error, now),
                SessionInput::Timeout => {}
            }
        }
    }

    async fn wait(&mut self, datagram: &mut [u8], deadline: Instant) -> SessionInput {
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(deadline.into()) => SessionInput::Timeout,
            // Polled before the socket: a flood of datagrams must not keep a call from ending.
            command = self.parts.commands.recv() => SessionInput::Command(command),
            reply = self.replies.1.recv() => match reply {
                Some(reply) => SessionInput::Reply(reply),
                None => SessionInput::Timeout,
            },
            used = self.tools.next() => SessionInput::ToolEnded(used),
            counted = self.counts.1.recv() => match counted {
                Some(counted) => SessionInput::SpendingCounted(counted),
                None => SessionInput::Timeout,
            },
            received = self.parts.socket.recv_from(datagram) => match received {
                Ok((length, from)) => SessionInput::Datagram(length, from),
                Err(error) => SessionInput::IcmpError(error),
            },
            input = self.parts.model.next() => SessionInput::Model(input),
        }
    }

    /// Runs what is due, drains every state machine into the next one, and returns when the next timeout is due.
    fn advance(&mut self) -> Instant {
        let now = Instant::now();
        if self.parts.peer.poll_timeout().is_some_and(|due| due <= now) {
            self.parts.peer.handle_timeout(now);
        }
        if self.parts.model.poll_timeout().is_some_and(|due| due <= now) {
            self.parts.model.handle_timeout(now);
        }
        self.poll_peer(now);
        self.poll_model(now);
        self.bridge.handle_timeout(now);
        self.send_to_model(now);
        self.tune(now);
        self.handle_outputs(now);
        self.accept_when_ready(now);
        self.count_spending(now);
        self.transmit(now);
        self.poll_monitor(now);
        let due = [
            self.parts.peer.poll_timeout(),
            self.parts.model.poll_timeout(),
            self.bridge.poll_timeout(),
            self.answering.poll_timeout(),
            self.parts.monitor.poll_timeout(),
            self.spending.poll_timeout(),
        ];
        due.into_iter().flatten().min().unwrap_or(now + Duration::from_secs(1))
    }

    /// Adapts the Opus encoder to packet loss and to the load of this machine.
    fn tune(&mut self, now: Instant) {
        self.tuning.handle_load(self.parts.lateness.last_load_level());
        if let Some(settings) = self.tuning.poll(now) {
            self.encoder.tune(settings);
        }
    }

    fn transmit(&mut self, now: Instant) {
        while let Some((to, datagram)) = self.parts.peer.poll_datagram() {
            media_monitor::send(&self.parts.socket, &datagram, to, &mut self.parts.monitor, now);
        }
    }

    fn note(&mut self, event: JournalEvent) {
        let entry = self.parts.entries.enter(event, now_ms());
        self.parts.journal.note(entry);
    }
}

fn ms(duration: Duration) -> u64 {
    duration.as_millis() as u64
}
