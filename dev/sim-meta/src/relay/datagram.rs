//! Reads what a datagram shows without any key: its kind, an RTP header, what a ClientHello offers.

/// SRTP protection profile of RFC 5764, section 4.1.2.
const AES128_CM_HMAC_SHA1_80: [u8; 2] = [0x00, 0x01];
const USE_SRTP: u16 = 14;

/// What shares the port, told apart as RFC 7983 and RFC 5761 say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Stun,
    Dtls,
    Rtp,
    Rtcp,
    Unknown,
}

pub(crate) fn kind(datagram: &[u8]) -> Kind {
    match datagram {
        [0..=3, ..] => Kind::Stun,
        [20..=63, ..] => Kind::Dtls,
        [128..=191, 192..=223, ..] => Kind::Rtcp,
        [128..=191, _, ..] => Kind::Rtp,
        _ => Kind::Unknown,
    }
}

/// The parts of an RTP header that can be wrong. SRTP leaves them in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RtpHeader {
    pub(crate) payload_type: u8,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    pub(crate) has_extension: bool,
}

impl RtpHeader {
    /// Reads the twelve bytes every RTP packet begins with.
    pub(crate) fn parse(datagram: &[u8]) -> Option<RtpHeader> {
        let header: &[u8; 12] = datagram.first_chunk()?;
        let [flags, kind, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3] = *header;
        Some(RtpHeader {
            payload_type: kind & 0x7f,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([r0, r1, r2, r3]),
            has_extension: flags & 0x10 != 0,
        })
    }
}

/// Whether a ClientHello offers the profile Meta uses; `None` when the datagram holds no whole ClientHello.
pub(crate) fn offers_aes_cm(datagram: &[u8]) -> Option<bool> {
    let mut extensions = client_hello_extensions(datagram)?;
    while !extensions.is_empty() {
        let kind = take_u16(&mut extensions)?;
        let mut body = take_vector(&mut extensions, 2)?;
        if kind == USE_SRTP {
            let profiles = take_vector(&mut body, 2)?;
            return Some(profiles.chunks_exact(2).any(|profile| profile == AES128_CM_HMAC_SHA1_80));
        }
    }
    Some(false)
}

/// Record header 13 bytes, handshake header 12 (RFC 6347), then the hello.
fn client_hello_extensions(datagram: &[u8]) -> Option<&[u8]> {
    const HANDSHAKE: u8 = 22;
    const CLIENT_HELLO: u8 = 1;
    if datagram.first() != Some(&HANDSHAKE) || datagram.get(13) != Some(&CLIENT_HELLO) {
        return None;
    }
    let mut hello = datagram.get(13 + 12 + 2 + 32..)?;
    take_vector(&mut hello, 1)?; // session id
    take_vector(&mut hello, 1)?; // cookie
    take_vector(&mut hello, 2)?; // cipher suites
    take_vector(&mut hello, 1)?; // compression methods
    take_vector(&mut hello, 2)
}

fn take_u16(bytes: &mut &[u8]) -> Option<u16> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u16::from_be_bytes(*number))
}

fn take_vector<'a>(bytes: &mut &'a [u8], length_bytes: usize) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_at_checked(length_bytes)?;
    let length = length.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte));
    let (vector, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some(vector)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_apart_what_shares_the_port() {
        assert_eq!(kind(&[0, 1]), Kind::Stun);
        assert_eq!(kind(&[22, 254]), Kind::Dtls);
        assert_eq!(kind(&[0x80, 111]), Kind::Rtp);
        assert_eq!(kind(&[0x80, 0x80 | 111]), Kind::Rtp, "with the marker bit");
        assert_eq!(kind(&[0x81, 200]), Kind::Rtcp);
        assert_eq!(kind(&[]), Kind::Unknown);
    }

    #[test]
    fn reads_an_rtp_header() {
        let packet = [0x90, 0xef, 0, 7, 0, 0, 3, 0xc0, 0, 0, 0, 9, 0xbe, 0xde];

        let header =
            RtpHeader { payload_type: 111, sequence: 7, timestamp: 960, ssrc: 9, has_extension: true };
        assert_eq!(RtpHeader::parse(&packet), Some(header));
        assert_eq!(RtpHeader::parse(&packet[..11]), None);
    }

    #[test]
    fn finds_the_srtp_profile_in_a_client_hello() {
        assert_eq!(offers_aes_cm(&client_hello(&[0x00, 0x07, 0x00, 0x01])), Some(true));
        assert_eq!(offers_aes_cm(&client_hello(&[0x00, 0x07])), Some(false));
    }

    #[test]
    fn what_is_no_whole_client_hello_is_not_judged() {
        let hello = client_hello(&[0x00, 0x01]);

        assert_eq!(offers_aes_cm(&hello[..hello.len() - 1]), None);
        assert_eq!(offers_aes_cm(&[22; 30]), None);
    }

    fn client_hello(profiles: &[u8]) -> Vec<u8> {
        let mut hello = vec![22; 13];
        hello.extend([1; 12]);
        hello.extend([0; 2 + 32]);
        hello.extend([0, 0, 0, 2, 0xc0, 0x2b, 1, 0]);
        let srtp = profiles.len() as u8 + 3;
        hello.extend([0, 4 + 4 + srtp, 0, 23, 0, 0, 0, 14, 0, srtp, 0, profiles.len() as u8]);
        hello.extend(profiles);
        hello.push(0);
        hello
    }
}
