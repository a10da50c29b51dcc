//! The loop of one call: it owns the socket, the peer, the microphone and the speaker, from the offer to the goodbye.

use super::datagram::{self, Kind, RtpHeader};
use super::gate::{Fate, Gate};
use super::keypad::Key;
use super::microphone::{Edge, Microphone, PACE, Packet, Payload};
use super::peer::Peer;
use super::replayer::{Replayed, Replayer};
use super::speaker::Speaker;
use super::voice::{Change, Voice};
use crate::line::Line;
use crate::sdp_check::Answer;
use crate::{Mischief, Seen};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::rtp::RtpPacket;
use str0m::{Event, Output, RtcError};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot};
use tone::Clip;

const OPUS: u8 = 111;
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
    /// Send no voice from now on, or send it again.
    Mute(bool),
    /// The call is over.
    Close,
}

/// One call's media, and the timers of its life.
pub(crate) struct Relay {
    line: Arc<Line>,
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

struct Speech {
    text: String,
    done: oneshot::Sender<()>,
}

enum Fact {
    Order(Order),
    Datagram(usize, SocketAddr),
    Nothing,
}

/// A microphone that suits the phone.
fn microphone(line: &Line) -> Result<Microphone, opus::Error> {
    match line.caller.network {
        _ if line.caller.spares_effort => Microphone::sparing(),
        Some(_) => Microphone::protecting(),
        None => Microphone::new(),
    }
}

impl Relay {
    /// The media of a call that begins to ring.
    pub(crate) fn new(
        line: Arc<Line>,
        orders: mpsc::UnboundedReceiver<Order>,
        socket: UdpSocket,
        mut peer: Peer,
    ) -> anyhow::Result<Relay> {
        if line.plot.does(Mischief::WrongPayload) {
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
            muted: line.plot.does(Mischief::SilentCaller),
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
            Order::Mute(muted) => self.microphone.mute(muted),
            Order::Close => self.over = true,
        }
    }

    async fn handle_datagram(&mut self, datagram: &[u8], from: SocketAddr) {
        let now = Instant::now();
        let verdict = self.gate.judge(datagram, from.ip());
        if let Some(fault) = verdict.fault {
            self.line.see(Seen::Fault(fault));
        }
        match verdict.fate {
            Fate::Drop => {}
            Fate::Reply(reply) => self.send(&reply, from).await,
            Fate::Pass => self.let_in(datagram, from, now),
        }
        self.line.with(|state| state.early = self.gate.early());
    }

    fn let_in(&mut self, datagram: &[u8], from: SocketAddr, now: Instant) {
        match (datagram::kind(datagram), RtpHeader::parse(datagram)) {
            (Kind::Rtp, Some(header)) => self.inspect(header, now),
            (Kind::Rtcp, _) if self.gate.is_open() => {
                self.line.with(|state| state.reports += 1);
                self.line.live(|life| life.handle_rtcp(now));
            }
            _ => {}
        }
        let taken = self.peer.handle_datagram(datagram, from, now);
        self.survive(taken);
    }

    fn inspect(&mut self, header: RtpHeader, now: Instant) {
        self.peer.listen_to(header.ssrc);
        if self.replayer.is_some() {
            return;
        }
        for fault in self.line.with(|state| state.inspector.inspect(header, now)) {
            self.line.see(Seen::Fault(fault));
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

    fn speak(&mut self, packet: Packet) {
        let now = Instant::now();
        self.line.with(|state| state.own_lateness.note(PACE * packet.beat, now));
        if let Some(payload) = packet.payload {
            self.note_key(&payload, now);
            if !self.muted {
                let sent = self.peer.send(packet.n, packet.timestamp, packet.marker, payload, now);
                self.survive(sent);
                self.line.with(|state| state.sent += 1);
            }
        }
        match packet.edge {
            None => {}
            Some(Edge::First(clip)) => self.begin_speech(clip, now),
            Some(Edge::Last(clip)) => self.end_speech(clip),
            Some(Edge::Only(clip)) => {
                self.begin_speech(clip.clone(), now);
                self.end_speech(clip);
            }
        }
    }

    fn replay(&mut self, packet: Replayed) {
        let now = Instant::now();
        let Replayed { n, timestamp, due, payload, is_onset } = packet;
        let sent = self.peer.send(n, timestamp, n == 0, Payload::Voice(payload), now);
        self.survive(sent);
        self.line.with(|state| {
            state.sent += 1;
            state.tally.note_sent(due, is_onset, now);
        });
    }

    fn note_key(&mut self, payload: &Payload, now: Instant) {
        let Payload::Key(event) = payload else { return };
        if let Some(key) = event.down {
            self.line.note_key(key, now);
        }
        if let Some(done) = self.presses.pop_front_if(|_| event.is_last) {
            // Whoever asked for it may have stopped waiting.
            let _ = done.send(());
        }
    }

    fn begin_speech(&mut self, clip: String, now: Instant) {
        if let Some(speech) = self.speeches.front() {
            self.line.with(|state| state.said.push((now, speech.text.clone())));
        }
        self.line.see(Seen::CallerSpeaks { clip });
    }

    fn end_speech(&mut self, clip: String) {
        self.line.see(Seen::CallerSpoke { clip });
        if let Some(speech) = self.speeches.pop_front() {
            // Whoever asked for it may have stopped waiting.
            let _ = speech.done.send(());
        }
    }

    /// Lets the peer do what it wants to, and tells when somebody next has something to do.
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

    fn handle_event(&mut self, event: Event) {
        match event {
            Event::IceConnectionStateChange(state) if state.is_connected() && !self.gate.has_path() => {
                self.gate.handle_path();
                self.line.see(Seen::IceConnected);
            }
            Event::Connected => {
                self.connected = true;
                self.line.see(Seen::DtlsConnected);
                self.open_microphone(!self.waits_for_media());
            }
            Event::RtpPacket(packet) => self.hear(&packet),
            _ => {}
        }
    }

    fn hear(&mut self, packet: &RtpPacket) {
        let at = packet.timestamp;
        self.line.live(|life| life.handle_rtp(at));
        if self.line.with(|state| state.report.first_packet.is_none()) {
            self.line.see_at(at, Seen::FirstPacket);
        }
        self.open_microphone(true);
        if self.replayer.is_some() {
            let (header, bytes) = (&packet.header, packet.payload.len());
            let (timestamp, sequence) = (header.timestamp, header.sequence_number);
            return self.line.with(|state| state.tally.handle_packet(timestamp, sequence, bytes, at));
        }
        if *packet.header.payload_type == OPUS {
            self.play(packet.header.timestamp, &packet.payload, at);
        }
    }

    fn play(&mut self, timestamp: u32, payload: &[u8], at: Instant) {
        let played = self.speaker.play(timestamp, payload);
        if self.line.caller.keeps_recording {
            self.line.with(|state| state.recording.extend(played.samples));
        }
        if let Some(fault) = played.fault {
            self.line.see(Seen::Fault(fault));
        }
        let change = self.voice.handle_frame(played.voiced, at);
        self.tell_voice(change, at);
    }

    fn tell_voice(&self, change: Option<Change>, at: Instant) {
        match change {
            None => {}
            Some(Change::Began) => self.line.see_at(at, Seen::AgentVoice),
            Some(Change::FellSilent { since }) => self.line.see_at(at, Seen::AgentSilent { since }),
        }
    }

    fn waits_for_media(&self) -> bool {
        self.line.caller.waits_for_media && !self.line.plot.does(Mischief::AgentUnheard)
    }

    /// The phone sends once the call is taken and the keys are there, and perhaps only after it heard something.
    fn open_microphone(&mut self, heard: bool) {
        if heard && self.connected && self.gate.is_open() {
            match &mut self.replayer {
                Some(replayer) => replayer.open(Instant::now()),
                None => self.microphone.open(Instant::now()),
            }
        }
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
