//! The loop of one call: it owns the socket, the peer, the microphone and the speaker, from the offer to the goodbye.

mod hearing;
mod speaking;

use super::gate::Gate;
use super::keypad::{Key, KeyKind};
use super::microphone::Microphone;
use super::peer::Peer;
use super::replayer::Replayer;
use super::speaker::Speaker;
use super::voice::Voice;
use crate::sdp_check::Answer;
use crate::shared_call::SharedCall;
use crate::{InjectedFault, RecordedKey};
use sim_audio::Clip;
use speaking::{Speech, microphone};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::{Output, RtcError};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot};

const LARGEST_DATAGRAM: usize = 2_000;

/// What the loop can be told to do.
pub(crate) enum Order {
    /// The business showed its answer.
    Answer(Answer),
    /// The business picked up.
    Open,
    /// Say this, and tell when the last voiced packet left.
    Say { clip: Clip, done: oneshot::Sender<()> },
    /// Press these keys, and tell when the last packet of the last one left.
    Press { keys: Vec<Key>, done: oneshot::Sender<()> },
    /// Send these packets of keys, and tell when the last of them left.
    Play { packets: Vec<RecordedKey>, done: oneshot::Sender<()> },
    /// Send no voice from now on, or send it again.
    Mute(bool),
    /// The call is over.
    Close,
}

/// One call's media, and the timers of its life.
pub(crate) struct Relay {
    line: Arc<SharedCall>,
    orders: mpsc::UnboundedReceiver<Order>,
    socket: UdpSocket,
    peer: Peer,
    gate: Gate,
    microphone: Microphone,
    /// In place of the microphone and the speaker, for load.
    replayer: Option<Replayer>,
    speaker: Speaker,
    voice: Voice,
    speeches: VecDeque<Speech>,
    presses: VecDeque<oneshot::Sender<()>>,
    /// The phone never sends anything.
    muted: bool,
    connected: bool,
    over: bool,
}

enum Fact {
    Order(Order),
    Datagram(usize, SocketAddr),
    Nothing,
}

impl Relay {
    /// The media of a call that begins to ring.
    pub(crate) fn new(
        line: Arc<SharedCall>,
        orders: mpsc::UnboundedReceiver<Order>,
        socket: UdpSocket,
        mut peer: Peer,
    ) -> anyhow::Result<Relay> {
        if line.plot.does(InjectedFault::WrongPayload) {
            peer.mislabel();
        }
        Ok(Relay {
            gate: Gate::new(&line.offered.pwd, line.caller.full_ice, line.plot.mischief()),
            microphone: microphone(&line)?,
            replayer: line.caller.replays.clone().map(Replayer::new),
            speaker: Speaker::new()?,
            voice: Voice::new(line.caller.quiet),
            speeches: VecDeque::new(),
            presses: VecDeque::new(),
            muted: line.plot.does(InjectedFault::SilentCaller),
            connected: false,
            over: false,
            line,
            orders,
            socket,
            peer,
        })
    }

    /// Lives until the call is over and the goodbye has left.
    pub(crate) async fn run(mut self) {
        let mut buffer = vec![0; LARGEST_DATAGRAM];
        while !self.over {
            let deadline = self.drain().await;
            match self.wait(deadline, &mut buffer).await {
                Fact::Order(order) => self.obey(order),
                Fact::Datagram(length, from) => self.handle_datagram(&buffer[..length], from).await,
                Fact::Nothing => {}
            }
            self.handle_timeout(Instant::now());
        }
        self.say_goodbye().await;
    }

    async fn wait(&mut self, deadline: Instant, buffer: &mut [u8]) -> Fact {
        // Orders first: what was sent after accept's 200 must find the gate open.
        tokio::select! {
            biased;
            Some(order) = self.orders.recv() => Fact::Order(order),
            Ok((length, from)) = self.socket.recv_from(buffer) => Fact::Datagram(length, from),
            () = tokio::time::sleep_until(deadline.into()) => Fact::Nothing,
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Answer(answer) => {
                self.gate.handle_answer(answer.candidates.iter().map(SocketAddr::ip));
                if let Some(kind) = KeyKind::among(&answer.keys) {
                    self.microphone.agree(kind);
                }
                let taken = self.peer.handle_answer(&answer);
                self.survive(taken);
            }
            Order::Open => {
                self.gate.open();
                self.open_microphone(!self.waits_for_media());
            }
            Order::Say { clip, done } => {
                self.speeches.push_back(Speech { text: clip.text.clone(), done });
                self.microphone.say(clip);
            }
            Order::Press { keys, done } => {
                self.presses.push_back(done);
                self.microphone.press(&keys);
            }
            Order::Play { packets, done } => {
                self.presses.push_back(done);
                self.microphone.play(&packets);
            }
            Order::Mute(muted) => self.microphone.mute(muted),
            Order::Close => self.over = true,
        }
    }

    /// Does all that is due.
    fn handle_timeout(&mut self, now: Instant) {
        self.line.live(|life| life.handle_timeout(now));
        let change = self.voice.handle_timeout(now);
        self.tell_voice(change, now);
        while let Some(packet) = self.microphone.poll_packet(now) {
            self.speak(packet);
        }
        while let Some(packet) = self.replayer.as_mut().and_then(|replayer| replayer.poll_packet(now)) {
            self.replay(packet);
        }
        let taken = self.peer.handle_timeout(now);
        self.survive(taken);
    }

    /// Lets the peer do what it wants to, and returns the next deadline.
    async fn drain(&mut self) -> Instant {
        let peers = loop {
            match self.peer.poll_output() {
                Ok(Output::Transmit(transmit)) => self.send(&transmit.contents, transmit.destination).await,
                Ok(Output::Event(event)) => self.handle_event(event),
                Ok(Output::Timeout(at)) => break at,
                Err(error) => {
                    self.survive(Err(error));
                    break Instant::now() + Duration::from_secs(1);
                }
            }
        };
        let others = [
            self.line.with(|state| state.life.poll_timeout()),
            self.microphone.poll_timeout(),
            self.replayer.as_ref().and_then(Replayer::poll_timeout),
            self.voice.poll_timeout(),
        ];
        others.into_iter().flatten().fold(peers, Instant::min)
    }

    async fn say_goodbye(&mut self) {
        let change = self.voice.handle_end();
        self.tell_voice(change, Instant::now());
        let closed = self.peer.close();
        self.survive(closed);
        self.drain().await;
    }

    async fn send(&mut self, datagram: &[u8], to: SocketAddr) {
        if let Err(error) = self.socket.send_to(datagram, to).await {
            tracing::debug!(%error, "Could not send a datagram");
        }
    }

    /// A broken peer is for the agent to notice: the relay goes on, and the call ends for want of media.
    fn survive(&self, result: Result<(), RtcError>) {
        if let Err(error) = result {
            tracing::warn!(%error, "The relay's peer refused");
        }
    }
}
