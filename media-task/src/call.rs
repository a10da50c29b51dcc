//! The owner of one call: one loop over everything that can happen in it. Nobody else touches its state, so there are
//! no locks, and nothing in the loop waits for anything but the next fact.

mod answering;
mod leaving;

use crate::agent::{Agent, Line, News};
use crate::codec::{Ear, Mouth};
use crate::diary::Diary;
use crate::ecs::Task;
use crate::peer::{Peer, PeerEvent};
use answering::{Answering, Step};
use bridge::{Bridge, Frame, Limits, Output, Slot, Verdict};
use bytes::Bytes;
use call::Ending;
use journal::{Event, Journal};
use ledger::CallControl;
use protocol::order::{Order, Reply};
use service::time::now_ms;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::sync::{Notify, mpsc};

/// How much of the caller's sound goes to the agent at once: 40 ms.
const APPEND: usize = 2 * bridge::SAMPLES;

/// The largest datagram we expect.
const DATAGRAM: usize = 2_048;

/// What a call's owner is made of.
pub struct Parts {
    /// The call.
    pub call_ref: String,
    /// The fence of this task's seat.
    pub fence: u64,
    /// When it must have been answered.
    pub deadline: Instant,
    /// The call's own socket.
    pub socket: UdpSocket,
    /// Its WebRTC connection.
    pub peer: Peer,
    /// The model behind the agent.
    pub agent: Agent,
    /// How long things may last.
    pub limits: Limits,
    /// Its journal.
    pub journal: Journal,
    /// Where the journal goes.
    pub diary: Diary,
    /// Who speaks to Meta.
    pub control: CallControl,
    /// This task, as ECS knows it.
    pub task: Task,
    /// Told when ECS does not protect this task: it must take no more calls.
    pub unprotected: Arc<Notify>,
    /// Orders from the door.
    pub orders: mpsc::Receiver<Command>,
}

/// What the owner of a call can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Call-control says that the call is over.
    Release,
    /// This task must leave.
    Drain,
}

/// Something that happened: the loop waits for one of these.
enum Fact {
    Datagram(usize, SocketAddr),
    Agent(Line),
    Replied(anyhow::Result<Reply>),
    Told(Option<Command>),
    Due,
}

/// How a call ends for its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    /// Call-control knows.
    Known,
    /// Call-control must be told.
    Because(Ending),
}

struct Owner {
    parts: Parts,
    bridge: Bridge<Bytes>,
    ear: Ear,
    mouth: Mouth,
    answering: Answering,
    replies: (mpsc::Sender<anyhow::Result<Reply>>, mpsc::Receiver<anyhow::Result<Reply>>),
    offered_at: Instant,
    uplink: Vec<i16>,
    was_speaking: bool,
    turns: u64,
    over: Option<Over>,
}

/// Holds a call until it is over.
pub async fn hold(parts: Parts) {
    let mut owner = Owner::new(parts);
    let over = owner.hold().await;
    owner.leave(over).await;
}

impl Owner {
    fn new(parts: Parts) -> Self {
        let now = Instant::now();
        Self {
            bridge: Bridge::new(parts.limits),
            ear: Ear::new(),
            mouth: Mouth::new(),
            answering: Answering::new(now, parts.deadline),
            replies: mpsc::channel(4),
            offered_at: now,
            uplink: Vec::with_capacity(APPEND),
            was_speaking: false,
            turns: 0,
            over: None,
            parts,
        }
    }

    async fn hold(&mut self) -> Over {
        let mut datagram = [0; DATAGRAM];
        loop {
            let deadline = self.drain();
            if let Some(over) = self.over {
                return over;
            }
            let fact = self.wait(&mut datagram, deadline).await;
            let now = Instant::now();
            match fact {
                Fact::Datagram(length, from) => self.receive(&datagram[..length], from, now),
                Fact::Agent(line) => self.listen(line, now),
                Fact::Replied(reply) => self.open(reply, now),
                Fact::Told(Some(Command::Drain)) => self.over = Some(Over::Because(Ending::Drained)),
                Fact::Told(Some(Command::Release) | None) => self.over = Some(Over::Known),
                Fact::Due => {}
            }
        }
    }

    async fn wait(&mut self, datagram: &mut [u8], deadline: Instant) -> Fact {
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(deadline.into()) => Fact::Due,
            // Before the socket: whoever floods it must not keep a call from ending.
            command = self.parts.orders.recv() => Fact::Told(command),
            reply = self.replies.1.recv() => match reply {
                Some(reply) => Fact::Replied(reply),
                None => Fact::Due,
            },
            received = self.parts.socket.recv_from(datagram) => match received {
                Ok((length, from)) => Fact::Datagram(length, from),
                // An ICMP error of an earlier datagram: the next one may arrive.
                Err(_) => Fact::Due,
            },
            line = self.parts.agent.next() => Fact::Agent(line),
        }
    }

    /// Does all that is due and passes on all that came of it. When the next thing is due.
    fn drain(&mut self) -> Instant {
        let now = Instant::now();
        if self.parts.peer.poll_timeout().is_some_and(|due| due <= now) {
            self.parts.peer.handle_timeout(now);
        }
        self.notice_peer(now);
        self.bridge.handle_timeout(now);
        self.pass_up();
        self.pass_down(now);
        self.step(now);
        transmit(&mut self.parts.peer, &self.parts.socket);
        let due = [self.parts.peer.poll_timeout(), self.bridge.poll_timeout(), self.answering.poll_timeout()];
        due.into_iter().flatten().min().unwrap_or(now + Duration::from_secs(1))
    }

    fn receive(&mut self, datagram: &[u8], from: SocketAddr, now: Instant) {
        if self.parts.peer.handle_datagram(datagram, from, now) {
            self.bridge.handle_sign_of_life(now);
        }
    }

    fn notice_peer(&mut self, now: Instant) {
        while let Some(event) = self.parts.peer.poll_event() {
            match event {
                PeerEvent::Connected => {
                    self.answering.note_connected();
                    self.note(Event::MediaConnected { took_ms: ms(now - self.offered_at) });
                }
                PeerEvent::Closed => self.lose_peer(),
                PeerEvent::Sound { sequence, payload } => {
                    self.bridge.handle_packet(sequence, Some(payload), now)
                }
                PeerEvent::Key { sequence } => self.bridge.handle_packet(sequence, None, now),
            }
        }
    }

    fn lose_peer(&mut self) {
        let ending = if self.bridge.is_open() { Ending::CallerVanished } else { Ending::MediaNeverConnected };
        self.over.get_or_insert(Over::Because(ending));
    }

    fn listen(&mut self, line: Line, now: Instant) {
        for news in self.parts.agent.handle(line) {
            match news {
                News::Ready => {
                    self.answering.note_ready();
                    self.note(Event::AgentReady { took_ms: ms(now - self.offered_at) });
                }
                News::Doing(doing) => self.bridge.handle_agent(doing, now),
                News::Troubled(code) => self.note(Event::AgentTrouble { code }),
                News::Gone(reason) => {
                    self.note(Event::AgentTrouble { code: reason });
                    self.over.get_or_insert(Over::Because(Ending::AgentUnavailable));
                }
            }
        }
    }

    /// The caller's sound, to the agent.
    fn pass_up(&mut self) {
        while let Some(slot) = self.bridge.poll_slot() {
            let samples = match slot {
                Slot::Decode(packet) => self.ear.hear(&packet),
                Slot::Recover(packet) => self.ear.recover(&packet),
                Slot::Conceal => self.ear.conceal(),
                Slot::Silence => vec![0; bridge::SAMPLES],
            };
            self.uplink.extend(samples);
            if self.uplink.len() >= APPEND {
                self.parts.agent.hear(&self.uplink);
                self.uplink.clear();
            }
        }
    }

    /// The agent's sound, to the caller.
    fn pass_down(&mut self, now: Instant) {
        while let Some(output) = self.bridge.poll_output() {
            match output {
                Output::Play(frame) => self.play(frame.as_deref(), now),
                Output::Interrupted(heard) => {
                    self.parts.agent.was_heard(&heard);
                    let (heard_ms, of_ms) = (ms(heard.heard), ms(heard.of));
                    self.note(Event::Interrupted { item: heard.item.0, heard_ms, of_ms });
                }
                Output::FirstWord(after_open) => {
                    self.note(Event::FirstWord { after_open_ms: ms(after_open) })
                }
                Output::Turn(took) => {
                    self.turns += 1;
                    self.note(Event::Turn { turn: self.turns, took_ms: ms(took), tool_ms: 0 });
                }
                Output::GiveUp(verdict) => {
                    self.over.get_or_insert(Over::Because(ending(verdict)));
                }
            }
        }
    }

    fn play(&mut self, frame: Option<&Frame>, now: Instant) {
        let begins = frame.is_some() && !self.was_speaking;
        self.was_speaking = frame.is_some();
        let packet = self.mouth.say(frame);
        self.parts.peer.send(packet, begins, now);
    }

    fn step(&mut self, now: Instant) {
        match self.answering.step(self.bridge.waiting(), now) {
            Step::Ask => self.ask(),
            Step::GiveUp(ending) => {
                self.over.get_or_insert(Over::Because(ending));
            }
            Step::Wait => {}
        }
    }

    /// Asks call-control to accept the call. The reply comes as a fact. A task that ECS may stop at any moment is
    /// protected first: no call is accepted that a deployment would cut.
    fn ask(&self) {
        let order = Order::MediaConnected { call_ref: self.parts.call_ref.clone(), fence: self.parts.fence };
        let (control, task, replies) =
            (self.parts.control.clone(), self.parts.task.clone(), self.replies.0.clone());
        let unprotected = self.parts.unprotected.clone();
        tokio::spawn(async move {
            if let Err(error) = task.protect(true).await {
                tracing::warn!("This task is not protected, and takes no more calls: {error:#}");
                unprotected.notify_one();
            }
            // A reply that nobody waits for any more is of no use.
            let _ = replies.send(control.ask(&order).await).await;
        });
    }

    fn open(&mut self, reply: anyhow::Result<Reply>, now: Instant) {
        self.answering.note_reply();
        match reply {
            Ok(Reply::Open { version }) if !self.bridge.is_open() => {
                self.answering.note_open();
                self.parts.peer.open();
                self.bridge.open(now);
                self.parts.journal.advance_to(version);
                self.note(Event::Opened {});
            }
            Ok(Reply::Over) if !self.bridge.is_open() => self.over = Some(Over::Known),
            Ok(Reply::Open { .. } | Reply::Wait | Reply::Over) => {}
            Err(error) => tracing::warn!("Call-control did not accept the call yet: {error:#}"),
        }
    }

    fn note(&mut self, event: Event) {
        let entry = self.parts.journal.enter(event, now_ms());
        self.parts.diary.note(entry);
    }
}

fn transmit(peer: &mut Peer, socket: &UdpSocket) {
    while let Some((to, datagram)) = peer.poll_datagram() {
        // A full socket buffer loses a datagram, as the network may: nobody waits for it.
        let _ = socket.try_send_to(&datagram, to);
    }
}

fn ending(verdict: Verdict) -> Ending {
    match verdict {
        Verdict::TookTooLong => Ending::TookTooLong,
        Verdict::BothSilent => Ending::BothSilent,
        Verdict::CallerVanished => Ending::CallerVanished,
    }
}

fn ms(duration: Duration) -> u64 {
    duration.as_millis() as u64
}
