//! Which audio is taken for speech of the caller.

use super::*;
use std::f32::consts::TAU;

const RATE: usize = 24_000;

/// Recorded speech: fixtures/speech.
const QUESTION: &[u8] = include_bytes!("../../../fixtures/speech/caller-question.wav");
const ORDER: &[u8] = include_bytes!("../../../fixtures/speech/caller-order.wav");
const DIRECTIONS: &[u8] = include_bytes!("../../../fixtures/speech/caller-directions.wav");

#[test]
fn eight_unheard_seconds_within_twelve_are_reported_once() {
    let speech = speech(60);

    let found = found(&speech);

    let at = found.iter().position(|found| *found == Detection::DeafAgent);
    assert!(at.is_some_and(|at| (7..12).contains(&at)), "{found:?}");
    assert_eq!(found.iter().filter(|found| **found == Detection::DeafAgent).count(), 1);
}

#[test]
fn quiet_speech_counts_and_very_quiet_speech_does_not() {
    let quieter = |by: i16| speech(30).iter().map(|sample| sample / by).collect::<Vec<_>>();

    assert!(found(&quieter(4)).contains(&Detection::DeafAgent));
    assert_eq!(found(&quieter(60)), []);
}

#[test]
fn seven_seconds_of_speech_are_not_enough_however_often() {
    let few = [speech(7), vec![0; 8 * RATE]].concat().repeat(5);

    assert!(!found(&few).contains(&Detection::DeafAgent));
    assert!(found(&few).contains(&Detection::Speech));
}

#[test]
fn steady_noise_is_no_speech_however_loud() {
    let sines = |frequencies: &[f32], n: usize| {
        let phase = |hertz: &f32| (TAU * hertz * (n % RATE) as f32 / RATE as f32).sin();
        3_000.0 * frequencies.iter().map(phase).sum::<f32>()
    };
    let slow = |n: usize, hertz: f32| (TAU * hertz * n as f32 / RATE as f32).sin();
    let mut noise = Noise(1);
    let (mut fan, mut rumble) = (0.0_f32, 0.0_f32);
    for (name, sound) in [
        ("hum", sound(|n| sines(&[50.0, 100.0], n))),
        ("a tone", sound(|n| sines(&[440.0], n))),
        ("a chord with vibrato", sound(|n| (1.0 + 0.15 * slow(n, 5.0)) * sines(&[261.0, 329.0, 392.0], n))),
        ("hiss", sound(|_| noise.next(4_000.0))),
        ("a fan", {
            let mut noise = Noise(2);
            sound(|n| {
                fan += 0.1 * (noise.next(16_000.0) - fan);
                fan * (0.6 + 0.4 * slow(n, 0.7))
            })
        }),
        ("traffic", {
            let mut noise = Noise(3);
            sound(|_| {
                rumble += 0.02 * (noise.next(20_000.0) - rumble);
                rumble
            })
        }),
        ("an engine", sound(|n| (1.0 + 0.7 * slow(n, 12.0)) * sines(&[90.0], n))),
        ("an engaged tone", sound(|n| if n / 12_000 % 2 == 0 { sines(&[425.0], n) } else { 0.0 })),
        ("beeps", sound(|n| if n / 3_000 % 2 == 0 { sines(&[1_000.0], n) } else { 0.0 })),
        ("clicks", sound(|n| if n % 6_000 < 480 { 20_000.0 } else { 0.0 })),
        ("silence", vec![0; 30 * RATE]),
    ] {
        assert!(!found(&sound).contains(&Detection::DeafAgent), "{name}: {:?}", found(&sound));
    }
}

#[test]
fn possible_echo_does_not_count() {
    let mut unheard = UnheardSpeech::default();
    let speech = speech(30);

    let found = speech.chunks(SAMPLES).filter_map(|frame| unheard.note(frame, false));

    assert_eq!(found.count(), 0);
}

#[test]
fn a_caller_heard_in_between_is_not_unheard() {
    let mut unheard = UnheardSpeech::default();
    let mut found = vec![];
    for (n, frame) in speech(60).chunks(SAMPLES).enumerate() {
        if n % 300 == 0 {
            unheard.clear();
        }
        found.extend(unheard.note(frame, true));
    }

    assert!(!found.contains(&Detection::DeafAgent), "{found:?}");
}

fn found(sound: &[i16]) -> Vec<Detection> {
    let mut unheard = UnheardSpeech::default();
    sound.chunks(SAMPLES).filter_map(|frame| unheard.note(frame, true)).collect()
}

/// Returns `seconds` seconds of three sentences in a loop.
pub(crate) fn speech(seconds: usize) -> Vec<i16> {
    let sentences = [QUESTION, ORDER, DIRECTIONS].map(samples).concat();
    sentences.into_iter().cycle().take(seconds * RATE).collect()
}

fn samples(wav: &[u8]) -> Vec<i16> {
    let data = wav.windows(4).position(|name| name == b"data").expect("a WAV has data");
    wav[data + 8..].chunks_exact(2).map(|bytes| i16::from_le_bytes([bytes[0], bytes[1]])).collect()
}

/// Returns thirty seconds of audio.
fn sound(mut at: impl FnMut(usize) -> f32) -> Vec<i16> {
    (0..30 * RATE).map(|n| at(n) as i16).collect()
}

/// White noise from a fixed seed.
struct Noise(u64);

impl Noise {
    fn next(&mut self, loudest: f32) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 40) as f32 / (1_u64 << 23) as f32 - 1.0) * loudest
    }
}
