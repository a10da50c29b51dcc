//! The loop of one call: it owns the socket, the peer, the microphone and the speaker, from the offer to the goodbye.

mod hearing;
mod speaking;

use super::datagram_filter::DatagramFilter;
use super::keypad::KeyKind;

use super::microphone::Microphone;
use super::order::Order;
use super::peer::Peer;
use super::replayer::Replayer;
use super::speaker::Speaker;
use super::speech::{Speech, microphone};
use super::speech_detector::SpeechDetector;
use crate::InjectedFault;
use crate::shared_call::SharedCall;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::{Output, RtcError};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot};

const LARGEST_DATAGRAM: usize = 2_000;

/// One call's media, and the timers of its signalling.
pub(crate) struct Relay {
    call: Arc<SharedCall>,
    orders: mpsc::UnboundedReceiver<Order>,
    socket: UdpSocket,
    peer: Peer,
    filter: DatagramFilter,
    microphone: Microphone,
    /// In place of the microphone and the speaker, for load.
    replayer: Option<Replayer>,
    speaker: Speaker,
    speech_detector: SpeechDetector,
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
        call: Arc<SharedCall>,
        orders: mpsc::UnboundedReceiver<Order>,
        socket: UdpSocket,
        mut peer: Peer,
    ) -> anyhow::Result<Relay> {
        if call.faults.has(InjectedFault::WrongPayload) {
            peer.mislabel();
        }
        Ok(Relay {
            filter: DatagramFilter::new(&call.offered.pwd, call.caller.full_ice, call.faults.injected()),
            microphone: microphone(&call.caller)?,
            replayer: call.caller.replays.clone().map(Replayer::new),
            speaker: Speaker::new()?,
            speech_detector: SpeechDetector::new(call.caller.quiet),
            speeches: VecDeque::new(),
            presses: VecDeque::new(),
            muted: call.faults.has(InjectedFault::SilentCaller),
            connected: false,
            over: false,
            call,
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
        // Orders first: what was sent after accept's 200 must find the filter open.
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
                self.filter.handle_answer(answer.candidates.iter().map(SocketAddr::ip));
                if let Some(kind) = KeyKind::among(&answer.keys) {
                    self.microphone.agree(kind);
                }
                let taken = self.peer.handle_answer(&answer);
                self.survive(taken);
            }
            Order::Open => {
                self.filter.open();
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

    fn handle_timeout(&mut self, now: Instant) {
        self.call.step(|signalling| signalling.handle_timeout(now));
        let change = self.speech_detector.handle_timeout(now);
        self.observe_voice(change, now);
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
            self.call.with(|state| state.signalling.poll_timeout()),
            self.microphone.poll_timeout(),
            self.replayer.as_ref().and_then(Replayer::poll_timeout),
            self.speech_detector.poll_timeout(),
        ];
        others.into_iter().flatten().fold(peers, Instant::min)
    }

    async fn say_goodbye(&mut self) {
        let change = self.speech_detector.handle_end();
        self.observe_voice(change, Instant::now());
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
