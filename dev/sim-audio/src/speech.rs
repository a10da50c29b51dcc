//! Speaks any text: a recorded sentence where there is one, else espeak-ng where it is installed.

use crate::level::is_voiced;
use crate::{Clip, FRAME, RATE, clips, wav};
use hound::WavReader;
use std::path::{Path, PathBuf};
use std::process::Command;

/// As loud as the recorded sentences, of full scale.
const LOUDEST: f64 = 0.63;

/// Whose voice speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// The caller's.
    Caller,
    /// The agent's.
    Agent,
}

impl Voice {
    /// espeak-ng's voice, and its words a minute, as in `fixtures/speech/make.sh`.
    fn settings(self) -> (&'static str, &'static str) {
        match self {
            Self::Caller => ("en-gb", "165"),
            Self::Agent => ("en-us+f3", "170"),
        }
    }
}

/// Says a text: the recorded sentence of these words, else as espeak-ng says it. `None` if espeak-ng is not installed.
pub fn spoken(voice: Voice, text: &str) -> Option<Clip> {
    let recorded = clips::all().into_iter().find(|clip| clip.text == text);
    recorded.or_else(|| {
        let name = format!("spoken-{:016x}", hash(voice, text));
        let samples = cached(&name, voice, text)?;
        Some(Clip { name, text: text.to_owned(), samples })
    })
}

/// Reads a spoken text from the build's folder, or has it spoken there.
fn cached(name: &str, voice: Voice, text: &str) -> Option<Vec<i16>> {
    let folder = folder();
    let path = folder.join(format!("{name}.wav"));
    if let Ok(samples) = wav::read(&path) {
        return Some(samples);
    }
    std::fs::create_dir_all(&folder).ok()?;
    let unfinished = folder.join(format!("{name}-{}.part", std::process::id()));
    let samples = espeak(voice, text, &unfinished)?;
    // Another process may say the same at the same time: the last one wins, with the same file.
    wav::write(&unfinished, &samples).ok()?;
    std::fs::rename(&unfinished, &path).ok()?;
    Some(samples)
}

fn espeak(voice: Voice, text: &str, file: &Path) -> Option<Vec<i16>> {
    let (name, speed) = voice.settings();
    let mut espeak = Command::new("espeak-ng");
    let status = espeak.args(["-v", name, "-s", speed, "-w"]).arg(file).arg("--").arg(text).status().ok()?;
    let mut reader = WavReader::open(file).ok().filter(|_| status.success())?;
    let rate = reader.spec().sample_rate;
    let said: Vec<i16> = reader.samples().map_while(Result::ok).collect();
    Some(loud(&trimmed(&resampled(&said, rate))))
}

fn folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target")).join("speech")
}

/// Brings sound to [`RATE`], each sample between its two neighbours.
fn resampled(said: &[i16], rate: u32) -> Vec<i16> {
    let step = f64::from(rate) / f64::from(RATE);
    let wanted = (said.len() as f64 / step) as usize;
    let at = |index: usize| f64::from(said.get(index).copied().unwrap_or_default());
    let sample = |n: usize| {
        let place = n as f64 * step;
        let (before, share) = (place as usize, place.fract());
        (at(before) * (1.0 - share) + at(before + 1) * share).round() as i16
    };
    (0..wanted).map(sample).collect()
}

/// Cuts silence off at both ends.
fn trimmed(said: &[i16]) -> Vec<i16> {
    let frames: Vec<&[i16]> = said.chunks(FRAME).collect();
    let first = frames.iter().position(|frame| is_voiced(frame)).unwrap_or(0);
    let last = frames.iter().rposition(|frame| is_voiced(frame)).map_or(0, |last| last + 1);
    frames.get(first..last).unwrap_or_default().concat()
}

fn loud(said: &[i16]) -> Vec<i16> {
    let peak = said.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0).max(1);
    let gain = LOUDEST * f64::from(i16::MAX) / f64::from(peak);
    said.iter().map(|sample| (f64::from(*sample) * gain).round() as i16).collect()
}

/// FNV-1a over voice and text: the same in every build.
fn hash(voice: Voice, text: &str) -> u64 {
    let (name, _) = voice.settings();
    let bytes = name.bytes().chain([b'\n']).chain(text.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{samples, tone};
    use std::time::Duration;

    #[test]
    fn a_recorded_sentence_is_said_as_it_was_recorded() {
        let greeting = clips::agent_greeting();

        assert_eq!(spoken(Voice::Agent, &greeting.text), Some(greeting));
    }

    #[test]
    fn another_text_is_said_the_same_again_where_there_is_a_voice() {
        let text = "A sentence that was never recorded.";
        let has_voice = Command::new("espeak-ng").arg("--version").output().is_ok();

        let said = spoken(Voice::Caller, text);
        let again = spoken(Voice::Caller, text);

        assert_eq!(said.is_some(), has_voice);
        assert_eq!(said, again);
        if let Some(said) = said {
            let voiced = said.samples.chunks_exact(FRAME).filter(|frame| is_voiced(frame)).count();
            assert!((50..200).contains(&voiced), "{voiced} frames");
        }
    }

    #[test]
    fn a_tone_keeps_its_pitch_at_another_rate() {
        let said: Vec<i16> = tone(440.0, Duration::from_secs(1));
        // Read as of 22,050 Hz, it is lower.
        let raised = resampled(&said, 22_050);

        let pitch = 440.0 * 22_050.0 / f64::from(RATE);
        assert_eq!(raised.len(), said.len() * 24_000 / 22_050);
        assert!(tone::strength(&raised, pitch) > 0.9, "{}", tone::strength(&raised, pitch));
    }

    #[test]
    fn silence_is_cut_off_and_the_rest_is_loud() {
        let silence = vec![0; samples(Duration::from_millis(200))];
        let quiet: Vec<i16> = tone(440.0, Duration::from_secs(1)).iter().map(|sample| sample / 4).collect();
        let said = [silence.clone(), quiet.clone(), silence].concat();

        let heard = loud(&trimmed(&said));

        assert_eq!(heard.len(), quiet.len());
        let peak = heard.iter().map(|sample| sample.unsigned_abs()).max();
        assert!(peak.is_some_and(|peak| peak.abs_diff(20_642) < 10), "{peak:?}");
    }
}
