//! SRTP as the media task's WebRTC crate has it, on aws-lc-rs, and datagrams on loopback.

use super::codec::speech_packets;
use super::{FRAMES, Part, Stopwatch};
use anyhow::Context as _;
use rtc::crypto::default_provider;
use rtc::rtp::header::Header;
use rtc::shared::marshal::Marshal;
use rtc::srtp::context::Context;
use rtc::srtp::option::srtp_replay_protection;
use rtc::srtp::protection_profile::ProtectionProfile;
use std::net::{Ipv4Addr, UdpSocket};

/// As every WebRTC implementation has it.
const PROFILE: ProtectionProfile = ProtectionProfile::Aes128CmHmacSha1_80;

const KEY: [u8; 16] = *b"a key of a bench";
const SALT: [u8; 14] = *b"salt of a benc";

/// How far back replays are looked for, packets.
const REPLAY_WINDOW: usize = 64;

pub(super) struct Protecting {
    stream: Stream,
    context: Context,
}

pub(super) struct Unprotecting {
    stream: Stream,
    sender: Context,
    context: Context,
}

/// Sends packets, and receives them.
pub(super) struct Datagrams {
    sockets: [UdpSocket; 2],
    packet: Vec<u8>,
}

/// Packets of speech, one after the other.
struct Stream {
    payloads: Vec<Vec<u8>>,
    sent: usize,
}

impl Protecting {
    pub(super) fn new() -> anyhow::Result<Self> {
        Ok(Self { stream: Stream::new()?, context: context()? })
    }
}

impl Part for Protecting {
    fn second(&mut self, watch: &mut Stopwatch) {
        let packets = self.stream.second();
        watch.time(|| {
            for (header, packet) in &packets {
                self.context.encrypt_rtp_with_header(packet, header).expect("a packet can be protected");
            }
        });
    }
}

impl Unprotecting {
    pub(super) fn new() -> anyhow::Result<Self> {
        Ok(Self { stream: Stream::new()?, sender: context()?, context: context()? })
    }
}

impl Part for Unprotecting {
    fn second(&mut self, watch: &mut Stopwatch) {
        let packets = self.stream.second().into_iter().map(|(header, packet)| {
            self.sender.encrypt_rtp_with_header(&packet, &header).expect("a packet can be protected")
        });
        let packets: Vec<_> = packets.collect();
        watch.time(|| {
            for packet in &packets {
                self.context.decrypt_rtp(packet).expect("what was just protected can be read");
            }
        });
    }
}

impl Datagrams {
    pub(super) fn new() -> std::io::Result<Self> {
        let bind = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
        let sockets = [bind()?, bind()?];
        sockets[0].connect(sockets[1].local_addr()?)?;
        // As long as a packet of speech is, header and tag and all.
        Ok(Self { sockets, packet: vec![0x80; 12 + 50 + 10] })
    }
}

impl Part for Datagrams {
    fn second(&mut self, watch: &mut Stopwatch) {
        let ([from, to], mut room) = (&self.sockets, [0; 2_048]);
        watch.time(|| {
            for _ in 0..FRAMES {
                from.send(&self.packet).expect("loopback takes a datagram");
                to.recv_from(&mut room).expect("what was sent on loopback arrives");
            }
        });
    }
}

impl Stream {
    fn new() -> anyhow::Result<Self> {
        Ok(Self { payloads: speech_packets()?, sent: 0 })
    }

    fn second(&mut self) -> Vec<(Header, Vec<u8>)> {
        (0..FRAMES).map(|_| self.next()).collect()
    }

    fn next(&mut self) -> (Header, Vec<u8>) {
        let header = Header {
            version: 2,
            payload_type: 111,
            sequence_number: self.sent as u16,
            timestamp: self.sent as u32 * 960,
            ssrc: 1,
            ..Header::default()
        };
        let mut packet = header.marshal().expect("a header can be written").to_vec();
        packet.extend(&self.payloads[self.sent % self.payloads.len()]);
        self.sent += 1;
        (header, packet)
    }
}

fn context() -> anyhow::Result<Context> {
    let provider = default_provider().context("there is no crypto provider")?;
    let replays = Some(srtp_replay_protection(REPLAY_WINDOW));
    Ok(Context::new(&KEY, &SALT, PROFILE, replays, None, provider.crypto())?)
}
