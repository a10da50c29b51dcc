//! Holds the media sections of an answer against those of the offer (RFC 3264, section 6; RFC 9143).

use super::flaw::SdpFlaw;
use super::lines::Lines;
use crate::offered::{Offered, OfferedSection, split};

/// The answer's lines of the session and of the audio section, if its sections are as they must be.
pub(super) fn check<'a>(sdp: &'a str, offer: &Offered) -> Result<Lines<'a>, SdpFlaw> {
    let mut parts = split(sdp).into_iter();
    let mut lines = parts.next().unwrap_or_default();
    let answered: Vec<Vec<&str>> = parts.collect();
    if answered.len() != offer.sections.len() {
        return Err(SdpFlaw::MediaLines(answered.len()));
    }
    for (n, (section, offered)) in answered.into_iter().zip(&offer.sections).enumerate() {
        if n == offer.audio {
            lines.extend(section);
        } else {
            must_be_refused(&section, offered)?;
        }
    }
    Ok(Lines(lines))
}

fn must_be_refused(section: &[&str], offered: &OfferedSection) -> Result<(), SdpFlaw> {
    let media = section.first().and_then(|line| line.strip_prefix("m=")).unwrap_or_default();
    let flaw = || SdpFlaw::NotRefused(media.to_owned());
    let words: Vec<&str> = media.split(' ').collect();
    let [kind, "0", profile, first, rest @ ..] = &words[..] else { return Err(flaw()) };
    let is_same = *kind == offered.kind && *profile == offered.profile;
    let mut formats = rest.iter().chain([first]);
    if !is_same || !formats.all(|format| offered.formats.contains(*format)) {
        return Err(flaw());
    }
    let mid = section.iter().find_map(|line| line.strip_prefix("a=mid:"));
    // A section that is refused may keep its name, and has no other.
    if mid.is_some() && mid != offered.mid.as_deref() {
        return Err(SdpFlaw::Value("mid", offered.mid.clone().unwrap_or_default()));
    }
    Ok(())
}
