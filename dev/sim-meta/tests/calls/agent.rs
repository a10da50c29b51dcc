//! The business's side of the media: full ICE, controlling, DTLS client, on str0m. It says what it is told to say.

use opus::{Application, Channels, Decoder, Encoder};
use sim_audio::FRAME;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use str0m::config::Fingerprint;
use str0m::format::{Codec, FormatParams};
use str0m::media::{Frequency, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpPacket, RtpWrite, Ssrc};
use str0m::{Candidate, Event, IceCreds, Input, Output, Rtc};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};

const SSRC: u32 = 330_833_028;
/// Payload type of telephone events.
const KEYS: u8 = 126;
const PACE: Duration = Duration::from_millis(20);

/// An agent that answers one offer.
pub(crate) struct Agent {
    /// The answer, as section 4.2 of the reference wants it.
    pub sdp: String,
    heard: Arc<Mutex<Vec<i16>>>,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    orders: mpsc::UnboundedSender<Order>,
    state: watch::Receiver<State>,
}

/// A packet of the caller's.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub sequence: u16,
    pub timestamp: u32,
    pub marker: bool,
    /// The event's payload (RFC 4733, section 2.3), when it is one.
    pub event: Option<[u8; 4]>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct State {
    pub connected: bool,
    pub closed: bool,
    /// Packets heard.
    pub heard: usize,
}

enum Order {
    Play(Vec<i16>),
    Fall,
    /// Packets of events to lose, by their numbers from 0.
    Lose(Vec<usize>),
}

impl Agent {
    pub(crate) async fn answer(offer: &str) -> Agent {
        Agent::in_role(offer, true).await
    }

    pub(crate) async fn in_role(offer: &str, controlling: bool) -> Agent {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let mut rtc = set_up(offer, address, controlling);
        let sdp = write_answer(&mut rtc, address);
        let (orders, obeyed) = mpsc::unbounded_channel();
        let (tell, state) = watch::channel(State::default());
        let (heard, arrived) = (Arc::default(), Arc::default());
        let live = Live {
            rtc,
            socket,
            orders: obeyed,
            tell,
            heard: Arc::clone(&heard),
            arrived: Arc::clone(&arrived),
            events: 0,
            lost: Vec::new(),
            decoder: Decoder::new(sim_audio::RATE, Channels::Mono).unwrap(),
            encoder: Encoder::new(sim_audio::RATE, Channels::Mono, Application::Voip).unwrap(),
            unsaid: VecDeque::new(),
            next: None,
            packets: 0,
        };
        tokio::spawn(live.run());
        Agent { sdp, heard, arrived, orders, state }
    }

    /// From now on there is a packet every 20 ms: this sound, then silence.
    pub(crate) fn play(&self, samples: &[i16]) {
        self.orders.send(Order::Play(samples.to_vec())).unwrap();
    }

    /// From now on there is no packet.
    pub(crate) fn stop_sending(&self) {
        self.orders.send(Order::Fall).unwrap();
    }

    /// The network loses these of the packets with events.
    pub(crate) fn lose_events(&self, numbers: &[usize]) {
        self.orders.send(Order::Lose(numbers.to_vec())).unwrap();
    }

    /// All that came from the caller's phone.
    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    pub(crate) fn heard(&self) -> Vec<i16> {
        self.heard.lock().unwrap().clone()
    }

    pub(crate) async fn until(&mut self, reached: impl Fn(&State) -> bool, timeout: Duration) -> bool {
        tokio::time::timeout(timeout, self.state.wait_for(reached)).await.is_ok_and(|state| state.is_ok())
    }

    /// Half a second more.
    pub(crate) async fn hears_more(&mut self, timeout: Duration) {
        let now = self.state.borrow().heard;
        assert!(self.until(|state| state.heard >= now + 25, timeout).await, "the caller's phone sends");
    }

    pub(crate) async fn connected(&mut self) {
        assert!(self.until(|state| state.connected, Duration::from_secs(5)).await, "ICE and DTLS connect");
    }
}

fn set_up(offer: &str, address: SocketAddr, controlling: bool) -> Rtc {
    let mut config = Rtc::builder().set_rtp_mode(true).clear_codecs().enable_opus(true, false);
    let clock = Frequency::FORTY_EIGHT_KHZ;
    config.codec_config().add_config(KEYS.into(), None, Codec::Tele, clock, None, FormatParams::default());
    let mut rtc = config.build(Instant::now());
    rtc.add_local_candidate(Candidate::host(address, Protocol::Udp).unwrap());
    let port = offer.split("m=audio ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    let relay = SocketAddr::from(([127, 0, 0, 1], port));
    rtc.add_remote_candidate(Candidate::host(relay, Protocol::Udp).unwrap());
    let mut api = rtc.direct_api();
    api.set_ice_controlling(controlling);
    api.set_remote_ice_credentials(IceCreds {
        ufrag: attribute(offer, "ice-ufrag").to_owned(),
        pass: attribute(offer, "ice-pwd").to_owned(),
    });
    api.set_remote_fingerprint(attribute(offer, "fingerprint").parse::<Fingerprint>().unwrap());
    api.start_dtls(true).unwrap();
    api.declare_media(mid(), MediaKind::Audio);
    api.declare_stream_tx(Ssrc::from(SSRC), None, mid(), None);
    let theirs = offer.split("a=ssrc:").nth(1).unwrap().split(' ').next().unwrap().parse::<u32>().unwrap();
    api.expect_stream_rx(Ssrc::from(theirs), None, mid(), None).suppress_nack(true);
    rtc
}

fn write_answer(rtc: &mut Rtc, address: SocketAddr) -> String {
    let api = rtc.direct_api();
    let IceCreds { ufrag, pass } = api.local_ice_credentials();
    let fingerprint = api.local_dtls_fingerprint();
    let (ip, port) = (address.ip(), address.port());
    format!(
        "v=0\no=- 4611731400430051336 2 IN IP4 127.0.0.1\ns=-\nt=0 0\na=group:BUNDLE audio\n\
         m=audio {port} UDP/TLS/RTP/SAVPF 111 126\nc=IN IP4 {ip}\na=rtcp:9 IN IP4 0.0.0.0\n\
         a=candidate:1 1 udp 2130706431 {ip} {port} typ host generation 0\na=end-of-candidates\n\
         a=ice-ufrag:{ufrag}\na=ice-pwd:{pass}\na=fingerprint:{fingerprint}\na=setup:active\na=mid:audio\n\
         a=sendrecv\na=rtcp-mux\na=rtpmap:111 opus/48000/2\na=fmtp:111 useinbandfec=1\n\
         a=rtpmap:126 telephone-event/8000\na=maxptime:20\na=ptime:20\na=ssrc:{SSRC} cname:agent-1\n"
    )
    .replace('\n', "\r\n")
}

fn attribute<'a>(sdp: &'a str, name: &str) -> &'a str {
    sdp.lines().find_map(|line| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':')).unwrap()
}

fn mid() -> Mid {
    Mid::from("aud")
}

struct Live {
    rtc: Rtc,
    socket: UdpSocket,
    orders: mpsc::UnboundedReceiver<Order>,
    tell: watch::Sender<State>,
    heard: Arc<Mutex<Vec<i16>>>,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    events: usize,
    lost: Vec<usize>,
    decoder: Decoder,
    encoder: Encoder,
    unsaid: VecDeque<i16>,
    next: Option<Instant>,
    packets: u32,
}

impl Live {
    async fn run(mut self) {
        let mut buffer = vec![0; 2_000];
        loop {
            let rtcs = self.drain().await;
            let deadline = self.next.map_or(rtcs, |next| next.min(rtcs));
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(order) => self.obey(order),
                    None => return,
                },
                Ok((length, from)) = self.socket.recv_from(&mut buffer) => self.receive(&buffer[..length], from),
                () = tokio::time::sleep_until(deadline.into()) => {}
            }
            self.send_due(Instant::now());
            self.rtc.handle_input(Input::Timeout(Instant::now())).unwrap();
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Play(samples) => {
                self.unsaid.extend(samples);
                self.next.get_or_insert_with(Instant::now);
            }
            Order::Fall => self.next = None,
            Order::Lose(numbers) => self.lost = numbers,
        }
    }

    fn receive(&mut self, datagram: &[u8], from: SocketAddr) {
        if self.is_lost(datagram) {
            return;
        }
        let to = self.socket.local_addr().unwrap();
        if let Ok(receive) = Receive::new(Protocol::Udp, from, to, datagram) {
            self.rtc.handle_input(Input::Receive(Instant::now(), receive)).unwrap();
        }
    }

    /// SRTP leaves the payload type in the clear.
    fn is_lost(&mut self, datagram: &[u8]) -> bool {
        let is_event = matches!(datagram, [128..=191, kind, ..] if kind & 0x7f == KEYS);
        self.events += usize::from(is_event);
        is_event && self.lost.contains(&(self.events - 1))
    }

    fn send_due(&mut self, now: Instant) {
        while let Some(due) = self.next.filter(|due| *due <= now) {
            self.next = Some(due + PACE);
            let mut frame = [0; FRAME];
            for (slot, sample) in frame.iter_mut().zip(std::iter::from_fn(|| self.unsaid.pop_front())) {
                *slot = sample;
            }
            let payload = self.encoder.encode_vec(&frame, 400).unwrap();
            let n = self.packets;
            self.packets += 1;
            let packet = RtpWrite::new(111.into(), u64::from(n).into(), n * 960, now, payload);
            self.rtc.direct_api().stream_tx(&Ssrc::from(SSRC)).unwrap().write_rtp(packet);
        }
    }

    async fn drain(&mut self) -> Instant {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(at) => return at,
                Output::Transmit(transmit) => {
                    self.socket.send_to(&transmit.contents, transmit.destination).await.unwrap();
                }
                Output::Event(event) => self.handle(event),
            }
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Connected => self.tell.send_modify(|state| state.connected = true),
            Event::Closed => self.tell.send_modify(|state| state.closed = true),
            Event::RtpPacket(packet) if *packet.header.payload_type == KEYS => self.note(&packet, true),
            Event::RtpPacket(packet) => {
                self.note(&packet, false);
                let mut frame = [0; FRAME];
                self.decoder.decode(&packet.payload, &mut frame, false).unwrap();
                self.heard.lock().unwrap().extend(frame);
                self.tell.send_modify(|state| state.heard += 1);
            }
            _ => {}
        }
    }

    fn note(&self, packet: &RtpPacket, is_event: bool) {
        let header = &packet.header;
        self.arrived.lock().unwrap().push(Arrived {
            sequence: header.sequence_number,
            timestamp: header.timestamp,
            marker: header.marker,
            event: is_event.then(|| packet.payload.as_ref().try_into().unwrap()),
        });
    }
}
