//! The owner of one call: one loop over everything that can happen in it. Nobody else touches its state, so there are
//! no locks, and nothing in the loop waits for anything but the next fact.
//!
//! | module | what it does |
//! |---|---|
//! | `answering` | when a ringing call may be accepted |
//! | `opening` | has it accepted, and opens the line |
//! | `hearing` | what the caller's phone sends |
//! | `examining` | what the wire shows, and what is wrong with it |
//! | `listening` | what the agent does, and what comes of it |
//! | `playing` | what the bridge wants done |
//! | `using` | the tools that are in use |
//! | `budget` | what the agent may still do outside the call |
//! | `hosted` | tools that the model's provider calls itself |
//! | `farewell` | how a call that is to end is brought to its end |
//! | `measuring` | how loud each side is |
//! | `spending` | when its cost is counted, and when the day's cap ends it |
//! | `accounts` | what it came to: sound, tokens, cost |
//! | `leaving` | what is written down and told afterwards |

mod accepting;
mod accounts;
mod action_budget;
mod agent_events;
mod answer_progress;
mod ending;
mod farewell;
mod hosted_tools;
mod incoming_media;
mod level_meter;
mod media_monitor;
mod outgoing_media;
mod spending;
mod tool_uses;

use crate::agent_cache::LoadedAgent;
use crate::codec::{OpusDecoder, OpusEncoder};
use crate::journal_writer::JournalWriter;
use crate::lateness_meter::LatenessMeter;
use crate::model::{ModelLine, ModelPort};
use crate::settings::MediaSecret;
use crate::task_protection::TaskProtection;
use crate::transcript::Transcript;
use crate::webrtc::Peer;
use accounts::SpendingCount;
use answer_progress::AnswerProgress;
use audio::{Bridge, EncoderTuning};
use bytes::Bytes;
use call::Ending;
use farewell::Farewell;
use internal_api::order::Reply;
use journal::{CallSummary, EntryBuilder, JournalEvent};
use level_meter::LevelMeter;
use media_diagnosis::MediaMonitor;
pub use media_monitor::ask_for_icmp;
use realtime::Usage;
use service::secrets::Secret;
use service::time::now_ms;
use spending::SpendingTracker;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{CallControl, Store};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tool_uses::{ToolUsed, ToolUses};
use tools::CallContext;

/// How much of the caller's sound goes to the agent at once: 40 ms.
const APPEND: usize = 2 * audio::SAMPLES;

/// The most that a packet can add to that: 120 ms.
const LONGEST: usize = 6 * audio::SAMPLES;

/// The largest datagram we expect.
const DATAGRAM: usize = 2_048;

/// What a call's owner is made of.
pub struct CallSessionParts {
    /// The call.
    pub call_ref: String,
    /// The business number that was called, as its id.
    pub number: String,
    /// Whether Meta does not show the caller's phone number.
    pub hides_number: bool,
    /// The mark of the caller, if Meta says who calls.
    pub caller: Option<String>,
    /// The fence of this task's assignment.
    pub fence: u64,
    /// The token of this task's assignment, if the offer had one.
    pub token: Option<String>,
    /// When it must have been answered.
    pub deadline: Instant,
    /// The call's own socket.
    pub socket: UdpSocket,
    /// Its WebRTC connection.
    pub peer: Peer,
    /// How many bits a second of sound the far side takes.
    pub bits_per_second: u32,
    /// Who looks after its media.
    pub doctor: MediaMonitor,
    /// Who answers.
    pub role: Arc<LoadedAgent>,
    /// What its tools are signed with, which may be changed.
    pub secret: Secret<MediaSecret>,
    /// The name of the model behind the agent.
    pub model: String,
    /// The model behind the agent.
    pub agent: ModelPort,
    /// Its journal.
    pub journal: EntryBuilder,
    /// Where the journal goes, and what is kept of the conversation.
    pub diary: JournalWriter,
    /// Where it is counted what it costs.
    pub ledger: Store,
    /// Who speaks to Meta.
    pub control: CallControl,
    /// What keeps ECS from stopping this task, if it would.
    pub protection: Option<Arc<TaskProtection>>,
    /// How late the frames of all its calls are.
    pub load: Arc<LatenessMeter>,
    /// Orders from the door.
    pub orders: mpsc::Receiver<SessionCommand>,
}

/// What the owner of a call can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionCommand {
    /// Call-control says that the call is over.
    Release,
    /// This task must leave: the caller is told, then the call ends. Said again, it ends at once.
    Drain,
    /// The message that the agent sent under this id has failed.
    MessageFailed(String),
}

/// Call-control's reply to one of our questions.
type Replied = (u64, anyhow::Result<Reply>);

/// Something that happened: the loop waits for one of these.
enum SessionInput {
    Datagram(usize, SocketAddr),
    /// An ICMP error of an earlier datagram: the next one may arrive.
    Returned(std::io::Error),
    Agent(ModelLine),
    Replied(Replied),
    Used(ToolUsed),
    Counted(SpendingCount),
    Told(Option<SessionCommand>),
    Due,
}

/// How a call ends for its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SessionEnd {
    /// Call-control knows.
    Known,
    /// Call-control must be told.
    Because(Ending),
}

struct CallSession {
    parts: CallSessionParts,
    bridge: Bridge<Bytes>,
    ear: OpusDecoder,
    mouth: OpusEncoder,
    tuning: EncoderTuning,
    answering: AnswerProgress,
    replies: (mpsc::Sender<Replied>, mpsc::Receiver<Replied>),
    using: ToolUses,
    minutes: Transcript,
    measuring: Option<LevelMeter>,
    usage: Usage,
    spending: SpendingTracker,
    counts: (mpsc::Sender<SpendingCount>, mpsc::Receiver<SpendingCount>),
    summary: CallSummary,
    /// Whether the agent has said anything since the caller last spoke.
    has_said_something: bool,
    farewell: Option<Farewell>,
    must_leave: bool,
    offered_at: Instant,
    uplink: Vec<i16>,
    was_speaking: bool,
    /// The journal says that the caller's words cannot be written down.
    transcription_has_failed: bool,
    over: Option<SessionEnd>,
}

/// Holds a call until it is over.
pub async fn hold(parts: CallSessionParts) {
    let mut owner = CallSession::new(parts);
    let over = owner.hold().await;
    owner.leave(over).await;
}

impl CallSession {
    fn new(parts: CallSessionParts) -> Self {
        let now = Instant::now();
        let role = &parts.role;
        let tuning = EncoderTuning::new(parts.bits_per_second);
        Self {
            bridge: Bridge::new(role.limits(), role.turns(), role.keypad()),
            ear: OpusDecoder::new(),
            mouth: OpusEncoder::new(tuning.settings()),
            tuning,
            answering: AnswerProgress::new(now, parts.deadline),
            replies: mpsc::channel(4),
            using: ToolUses::new(
                CallContext::new(&parts.call_ref, &parts.number, &role.agent.name),
                parts.hides_number,
                role.agent.caps,
            ),
            minutes: Transcript::default(),
            measuring: None,
            usage: Usage::default(),
            spending: SpendingTracker::new(role.agent.caps.dollars_a_day),
            counts: mpsc::channel(1),
            summary: CallSummary {
                call_ref: parts.call_ref.clone(),
                number: parts.number.clone(),
                agent: role.agent.name.clone(),
                model: parts.model.clone(),
                without: role.without().iter().map(|part| part.name().to_owned()).collect(),
                ..CallSummary::default()
            },
            has_said_something: false,
            farewell: None,
            must_leave: false,
            offered_at: now,
            uplink: Vec::with_capacity(APPEND + LONGEST),
            was_speaking: false,
            transcription_has_failed: false,
            over: None,
            parts,
        }
    }

    async fn hold(&mut self) -> SessionEnd {
        let mut datagram = [0; DATAGRAM];
        loop {
            let deadline = self.drain();
            if let Some(over) = self.over {
                return over;
            }
            let fact = self.wait(&mut datagram, deadline).await;
            let now = Instant::now();
            self.note_wake(deadline, now);
            match fact {
                SessionInput::Datagram(length, from) => self.receive(&datagram[..length], from, now),
                SessionInput::Agent(line) => self.parts.agent.handle(line, now),
                SessionInput::Replied((question, reply)) => self.take_reply(question, reply, now),
                SessionInput::Used(used) => self.answer_tool(used, now),
                SessionInput::Counted(counted) => self.take_count(counted),
                SessionInput::Told(Some(SessionCommand::Drain)) => self.must_leave(),
                SessionInput::Told(Some(SessionCommand::MessageFailed(id))) => self.tell_of_failed(&id, now),
                SessionInput::Told(Some(SessionCommand::Release) | None) => {
                    self.over = Some(SessionEnd::Known)
                }
                SessionInput::Returned(error) => self.note_returned(&error, now),
                SessionInput::Due => {}
            }
        }
    }

    async fn wait(&mut self, datagram: &mut [u8], deadline: Instant) -> SessionInput {
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(deadline.into()) => SessionInput::Due,
            // Before the socket: whoever floods it must not keep a call from ending.
            command = self.parts.orders.recv() => SessionInput::Told(command),
            reply = self.replies.1.recv() => match reply {
                Some(reply) => SessionInput::Replied(reply),
                None => SessionInput::Due,
            },
            used = self.using.next() => SessionInput::Used(used),
            counted = self.counts.1.recv() => match counted {
                Some(counted) => SessionInput::Counted(counted),
                None => SessionInput::Due,
            },
            received = self.parts.socket.recv_from(datagram) => match received {
                Ok((length, from)) => SessionInput::Datagram(length, from),
                Err(error) => SessionInput::Returned(error),
            },
            line = self.parts.agent.next() => SessionInput::Agent(line),
        }
    }

    /// Does all that is due and passes on all that came of it. When the next thing is due.
    fn drain(&mut self) -> Instant {
        let now = Instant::now();
        if self.parts.peer.poll_timeout().is_some_and(|due| due <= now) {
            self.parts.peer.handle_timeout(now);
        }
        if self.parts.agent.poll_timeout().is_some_and(|due| due <= now) {
            self.parts.agent.handle_timeout(now);
        }
        self.notice_peer(now);
        self.listen(now);
        self.bridge.handle_timeout(now);
        self.pass_up(now);
        self.tune(now);
        self.pass_down(now);
        self.step(now);
        self.count_spending(now);
        self.transmit(now);
        self.examine(now);
        let due = [
            self.parts.peer.poll_timeout(),
            self.parts.agent.poll_timeout(),
            self.bridge.poll_timeout(),
            self.answering.poll_timeout(),
            self.parts.doctor.poll_timeout(),
            self.spending.poll_timeout(),
        ];
        due.into_iter().flatten().min().unwrap_or(now + Duration::from_secs(1))
    }

    /// Encodes the agent's voice as suits the line and the machine.
    fn tune(&mut self, now: Instant) {
        self.tuning.handle_load(self.parts.load.last_load_level());
        if let Some(settings) = self.tuning.poll(now) {
            self.mouth.tune(settings);
        }
    }

    fn transmit(&mut self, now: Instant) {
        while let Some((to, datagram)) = self.parts.peer.poll_datagram() {
            media_monitor::send(&self.parts.socket, &datagram, to, &mut self.parts.doctor, now);
        }
    }

    fn note(&mut self, event: JournalEvent) {
        let entry = self.parts.journal.enter(event, now_ms());
        self.parts.diary.note(entry);
    }
}

fn ms(duration: Duration) -> u64 {
    duration.as_millis() as u64
}
