//! Decides whether Meta would take the business's SDP answer, and reads from it what the relay needs.
//!
//! The rules are those of Meta's pages and of what implementers saw refused with 138008; what no source documents, such as
//! an offer of several sections, is held to RFC 3264 (`sections`).

mod flaw;
mod lines;
mod sections;

use crate::offered::{Offered, keys};
pub(crate) use flaw::SdpFlaw;
use lines::Lines;
use std::net::SocketAddr;

/// What the relay needs to know of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) ufrag: String,
    pub(crate) pwd: String,
    /// SHA-256 of the certificate the agent will show.
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) relay_starts_dtls: bool,
    /// The stream the agent announced, if it did.
    pub(crate) ssrc: Option<u32>,
    /// Where the agent may be reached, IPv4 and IPv6.
    pub(crate) candidates: Vec<SocketAddr>,
    /// The payload types of telephone events that were agreed on, and their clocks.
    pub(crate) keys: Vec<(u8, u32)>,
    pub(crate) sdp: String,
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

#[cfg(test)]
#[path = "sdp_check_tests.rs"]
mod tests;
