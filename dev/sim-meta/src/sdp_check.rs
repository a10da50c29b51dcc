//! Decides whether Meta would take the business's SDP answer, and reads from it what the relay needs.
//!
//! The rules are those of Meta's pages and of what implementers saw refused with 138008; what no source tells of, such as
//! an offer of several sections, is held to RFC 3264 (`sections`).

mod sections;

use crate::offered::{Offered, keys};
use std::net::SocketAddr;

const LARGEST: usize = 10_000;

/// What the relay needs to know of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) ufrag: String,
    pub(crate) pwd: String,
    /// SHA-256 of the certificate the agent will show.
    pub(crate) fingerprint: Vec<u8>,
    /// Whether the relay starts DTLS.
    pub(crate) relay_starts_dtls: bool,
    /// The stream the agent announced, if it did.
    pub(crate) ssrc: Option<u32>,
    /// Where the agent may be reached, IPv4 and IPv6.
    pub(crate) candidates: Vec<SocketAddr>,
    /// The payload types of telephone events that were agreed on, and their clocks.
    pub(crate) keys: Vec<(u8, u32)>,
    /// The answer itself.
    pub(crate) sdp: String,
}

/// Why Meta refuses an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SdpFlaw {
    #[error("the SDP has {0} bytes, {LARGEST} or more")]
    TooLarge(usize),
    #[error("every line must end with CRLF, the last one too")]
    LineEnds,
    #[error("the first line must be v=0")]
    NoVersion,
    #[error("the m-lines must be those of the offer, there are {0}")]
    MediaLines(usize),
    #[error("the m-line must be `m=audio <port> ...` with the profile of the offer, it is `{0}`")]
    MediaLine(String),
    #[error("a section that is not audio must be refused, kind and profile kept and port 0; it is `{0}`")]
    NotRefused(String),
    #[error("`{0}` was not offered")]
    NotOffered(&'static str),
    #[error("payload type {0} was not offered")]
    PayloadTypeNotOffered(String),
    #[error("payload type {0} must be opus/48000/2")]
    NoOpus(String),
    #[error("`{0}` must be there once, it is there {1} times")]
    Count(&'static str, usize),
    #[error("`{0}` must be `{1}`")]
    Value(&'static str, String),
    #[error("the fingerprint must be one of sha-256")]
    FingerprintHash,
    #[error("the fingerprint must have 32 bytes in hexadecimal")]
    FingerprintBytes,
    #[error("`{0}` is copied from the offer")]
    Copied(&'static str),
    #[error("`{0}` is too short")]
    TooShort(&'static str),
    #[error("only Meta may be ice-lite")]
    IceLite,
    #[error("the header extension `{0}` was not offered")]
    ExtensionNotOffered(String),
    #[error("the direction must be sendrecv")]
    Direction,
}

/// Reads an answer to `offer`, as strictly as Meta does.
pub(crate) fn check(sdp: &str, offer: &Offered) -> Result<Answer, SdpFlaw> {
    let all = Lines::split(sdp)?;
    let lines = sections::check(sdp, offer)?;
    check_media(&lines, offer)?;
    check_transport(&lines, offer)?;
    check_extensions(&lines, offer)?;
    Ok(Answer {
        ufrag: credential(&lines, "ice-ufrag", 4, &offer.ufrag)?,
        pwd: credential(&lines, "ice-pwd", 22, &offer.pwd)?,
        fingerprint: fingerprint(&all, offer)?,
        relay_starts_dtls: offer.starts_dtls,
        ssrc: lines.attribute("ssrc").find_map(|value| value.split(' ').next()?.parse().ok()),
        candidates: lines.attribute("candidate").filter_map(host).collect(),
        keys: agreed_keys(&lines, offer)?,
        sdp: sdp.to_owned(),
    })
}

/// The answer names telephone events as the offer does, and lists them in its m-line.
fn agreed_keys(lines: &Lines, offer: &Offered) -> Result<Vec<(u8, u32)>, SdpFlaw> {
    let agreed = keys(&lines.0);
    match agreed.iter().find(|keys| !offer.keys.contains(keys)) {
        Some((unknown, _)) => Err(SdpFlaw::PayloadTypeNotOffered(unknown.to_string())),
        None => Ok(agreed),
    }
}

/// The address and port of a candidate; none of what is not UDP.
fn host(candidate: &str) -> Option<SocketAddr> {
    let words: Vec<&str> = candidate.split(' ').collect();
    let [_, "1", transport, _, ip, port, ..] = words[..] else { return None };
    let is_udp = transport.eq_ignore_ascii_case("udp");
    Some(SocketAddr::new(ip.parse().ok()?, port.parse().ok()?)).filter(|_| is_udp)
}

fn check_media(lines: &Lines, offer: &Offered) -> Result<(), SdpFlaw> {
    let media = lines.0.iter().find_map(|line| line.strip_prefix("m=")).ok_or(SdpFlaw::MediaLines(0))?;
    let mut words = media.split(' ');
    let (kind, port, profile) = (words.next(), words.next(), words.next());
    let is_taken = port.is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    if kind != Some("audio") || !is_taken || profile != Some(offer.audio().profile.as_str()) {
        return Err(SdpFlaw::MediaLine(media.to_owned()));
    }
    let types: Vec<&str> = words.collect();
    if let Some(unknown) = types.iter().find(|pt| !offer.audio().formats.contains(**pt)) {
        return Err(SdpFlaw::PayloadTypeNotOffered((*unknown).to_owned()));
    }
    let mapped = format!("{} opus/48000/2", offer.opus);
    let opus = lines.attribute("rtpmap").any(|value| value.eq_ignore_ascii_case(&mapped));
    if types.contains(&offer.opus.as_str()) && opus {
        Ok(())
    } else {
        Err(SdpFlaw::NoOpus(offer.opus.clone()))
    }
}

fn check_transport(lines: &Lines, offer: &Offered) -> Result<(), SdpFlaw> {
    // The answer takes the role that the offer leaves (RFC 8842, section 5.3).
    lines.must_be("setup", if offer.starts_dtls { "passive" } else { "active" })?;
    let mid = offer.audio().mid.as_deref();
    lines.must_mirror("mid", mid.map(str::to_owned))?;
    lines.must_mirror("group", mid.filter(|_| offer.is_bundled).map(|mid| format!("BUNDLE {mid}")))?;
    if offer.rtcp_mux && !lines.has_flag("rtcp-mux") {
        return Err(SdpFlaw::Count("rtcp-mux", 0));
    }
    if lines.has_flag("ice-lite") {
        return Err(SdpFlaw::IceLite);
    }
    let one_way = ["sendonly", "recvonly", "inactive"].iter().any(|way| lines.has_flag(way));
    if one_way { Err(SdpFlaw::Direction) } else { Ok(()) }
}

fn check_extensions(lines: &Lines, offer: &Offered) -> Result<(), SdpFlaw> {
    lines.attribute("extmap").try_for_each(|value| {
        let uri = value.split(' ').nth(1).unwrap_or(value);
        match offer.extmaps.iter().any(|offered| offered == uri) {
            true => Ok(()),
            false => Err(SdpFlaw::ExtensionNotOffered(uri.to_owned())),
        }
    })
}

/// Least lengths are those of RFC 8839, section 5.4.
fn credential(lines: &Lines, name: &'static str, least: usize, theirs: &str) -> Result<String, SdpFlaw> {
    let value = lines.only(name)?;
    if value.len() < least {
        return Err(SdpFlaw::TooShort(name));
    }
    if value == theirs { Err(SdpFlaw::Copied(name)) } else { Ok(value.to_owned()) }
}

/// Upper-case `SHA-256` has been accepted by Meta; sha-384 or sha-512 beside it has not.
fn fingerprint(lines: &Lines, offer: &Offered) -> Result<Vec<u8>, SdpFlaw> {
    let value = lines.only("fingerprint")?;
    let (hash, digest) = value.split_once(' ').ok_or(SdpFlaw::FingerprintBytes)?;
    if !hash.eq_ignore_ascii_case("sha-256") {
        return Err(SdpFlaw::FingerprintHash);
    }
    if digest.eq_ignore_ascii_case(&offer.fingerprint) {
        return Err(SdpFlaw::Copied("fingerprint"));
    }
    let bytes: Option<Vec<u8>> = digest.split(':').map(|pair| u8::from_str_radix(pair, 16).ok()).collect();
    bytes.filter(|bytes| bytes.len() == 32).ok_or(SdpFlaw::FingerprintBytes)
}

struct Lines<'a>(Vec<&'a str>);

impl<'a> Lines<'a> {
    fn split(sdp: &'a str) -> Result<Lines<'a>, SdpFlaw> {
        if sdp.len() >= LARGEST {
            return Err(SdpFlaw::TooLarge(sdp.len()));
        }
        let lines: Vec<&str> = sdp.strip_suffix("\r\n").ok_or(SdpFlaw::LineEnds)?.split("\r\n").collect();
        if lines.iter().any(|line| line.contains(['\r', '\n']) || line.is_empty()) {
            return Err(SdpFlaw::LineEnds);
        }
        if lines[0] == "v=0" { Ok(Lines(lines)) } else { Err(SdpFlaw::NoVersion) }
    }

    fn attribute(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter_map(move |line| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':'))
    }

    fn only(&self, name: &'static str) -> Result<&'a str, SdpFlaw> {
        let values: Vec<&str> = self.attribute(name).collect();
        match values[..] {
            [only] => Ok(only),
            _ => Err(SdpFlaw::Count(name, values.len())),
        }
    }

    fn must_be(&self, name: &'static str, value: &str) -> Result<(), SdpFlaw> {
        if self.only(name)? == value { Ok(()) } else { Err(SdpFlaw::Value(name, value.to_owned())) }
    }

    /// What was offered must be there, and what was not must not.
    fn must_mirror(&self, name: &'static str, offered: Option<String>) -> Result<(), SdpFlaw> {
        match offered {
            Some(value) => self.must_be(name, &value),
            None if self.attribute(name).next().is_some() => Err(SdpFlaw::NotOffered(name)),
            None => Ok(()),
        }
    }

    fn has_flag(&self, name: &str) -> bool {
        self.0.iter().any(|line| line.strip_prefix("a=") == Some(name))
    }
}

#[cfg(test)]
#[path = "sdp_check_tests.rs"]
mod tests;
