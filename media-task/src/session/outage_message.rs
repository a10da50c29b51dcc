//! The recorded outage message that a caller hears when the model has failed for good, in the agent's language.
//!
//! The recordings are 24 kHz, mono, 16 bit WAV, made by `apologies/make.sh` from the sentences of the agent files' languages.

macro_rules! recordings {
    ($($language:literal),+) => {
        &[$(($language, include_bytes!(concat!("../../apologies/", $language, ".wav")))),+]
    };
}

/// The recording of each language, as a WAV file.
const RECORDINGS: &[(&str, &[u8])] = recordings!["en", "fr", "es", "pt", "de", "it", "nl", "sw"];

/// The length of a plain WAV header, bytes.
const HEADER: usize = 44;

/// Returns the recording for a BCP 47 language tag (`fr-RW` is French), as 24 kHz mono samples; English where there is none.
pub(crate) fn in_language(tag: &str) -> Vec<i16> {
    let primary = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    let known = RECORDINGS.iter().find(|(language, _)| *language == primary).unwrap_or(&RECORDINGS[0]);
    samples(known.1)
}

fn samples(wav: &[u8]) -> Vec<i16> {
    let pairs = wav[HEADER..].chunks_exact(2);
    pairs.map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recording_is_a_few_seconds_of_speech_at_24_khz() {
        for (language, wav) in RECORDINGS {
            assert_eq!(&wav[..4], b"RIFF", "{language}");
            assert_eq!(&wav[36..40], b"data", "{language}: a plain header of {HEADER} bytes");
            let field = |at: usize| u32::from_le_bytes([wav[at], wav[at + 1], wav[at + 2], wav[at + 3]]);
            assert_eq!((field(20), field(24)), (0x0001_0001, 24_000), "{language}: PCM, mono, 24 kHz");
            let seconds = samples(wav).len() / 24_000;
            assert!((1..10).contains(&seconds), "{language}: {seconds} s");
            assert!(samples(wav).iter().any(|sample| sample.abs() > 3_000), "{language}: it can be heard");
        }
    }

    #[test]
    fn a_language_without_a_recording_is_english() {
        assert_eq!(in_language("tlh"), in_language("en"));
        assert_ne!(in_language("fr-RW"), in_language("en"));
    }
}
