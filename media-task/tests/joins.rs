//! Measures the Opus encoder against libopus alone: speech is identical, and the transitions to and from the prepared packet of
//! silence sound like those of an encoder that never stops.

use audio::{EncoderSettings, Frame, SAMPLES};
use bytes::Bytes;
use media_task::codec::OpusEncoder;
use opus::{Application, Bandwidth, Bitrate, Channels, Decoder, Encoder, Signal};
use std::path::PathBuf;

const PLAIN: EncoderSettings =
    EncoderSettings { bits_per_second: 20_000, complexity: 5, loss_percent: 0, fec: false };
const CORRECTED: EncoderSettings =
    EncoderSettings { bits_per_second: 24_000, complexity: 5, loss_percent: 10, fec: true };

/// Frames of silence between speech: 0.6 s.
const GAP: usize = 30;

/// Samples in 5 ms.
const PIECE: usize = SAMPLES / 4;

/// The level below which audio cannot be heard under speech, dBFS.
const FLOOR: f64 = -65.0;

#[test]
fn speech_is_encoded_bit_for_bit_as_by_libopus_alone() {
    for settings in [PLAIN, CORRECTED] {
        let (mut encoder, mut reference) = (OpusEncoder::new(settings), reference(settings));
        for frame in speech() {
            assert_eq!(encoder.encode(Some(&frame)), encode(&mut reference, &frame), "{settings:?}");
        }
    }
}

#[test]
fn words_end_and_begin_as_if_the_encoder_never_stopped() {
    for settings in [PLAIN, CORRECTED] {
        for cut in cuts() {
            let (ours, always) = join(settings, cut);

            let (ours_heard, always_heard) = (decode(&ours, None), decode(&always, None));

            // Cut at the end: every 5 ms of the 100 ms after it are as loud.
            let end = cut * SAMPLES;
            for at in (end..end + 5 * SAMPLES).step_by(PIECE) {
                let louder = level(&ours_heard[at..at + PIECE]) - level(&always_heard[at..at + PIECE]);
                assert!(louder.abs() < 0.1, "{louder} dB at {at} after the cut at {cut}: {settings:?}");
            }
            // Silent in between.
            let silence = &ours_heard[end + 6 * SAMPLES..(cut + GAP) * SAMPLES];
            assert!(peak(silence) <= -84.0, "{} dBFS in silence: {settings:?}", peak(silence));
            // Nothing of the old word comes back before the new one begins.
            let before = (cut + GAP - 1) * SAMPLES..(cut + GAP) * SAMPLES;
            assert!(peak(&ours_heard[before.clone()]) <= -60.0);
            let louder =
                peak(&ours_heard[(cut + GAP) * SAMPLES..]) - peak(&always_heard[(cut + GAP) * SAMPLES..]);
            assert!(louder < 3.0, "{louder} dB when speech returns: {settings:?}");
        }
    }
}

#[test]
fn a_packet_lost_before_speech_returns_repeats_no_old_word() {
    for cut in cuts() {
        let (ours, always) = join(CORRECTED, cut);
        let lost = cut + GAP - 1;

        let (ours, always) = (decode(&ours, Some(lost)), decode(&always, Some(lost)));

        let made_up = lost * SAMPLES..(lost + 1) * SAMPLES;
        let (ours, always) = (peak(&ours[made_up.clone()]), peak(&always[made_up]));
        assert!(ours <= always.max(FLOOR) + 0.1, "{ours} dBFS, and {always} of one that never rests");
    }
}

/// Returns packets of speech up to a cut, silence, and speech again: ours, and those of an encoder that never stops.
fn join(settings: EncoderSettings, cut: usize) -> (Vec<Bytes>, Vec<Bytes>) {
    let (mut encoder, mut always) = (OpusEncoder::new(settings), reference(settings));
    let speech = speech();
    let mut last = speech[cut - 1];
    // As the playout fades a word that is interrupted.
    last.iter_mut()
        .enumerate()
        .for_each(|(n, s)| *s = (i32::from(*s) * (SAMPLES - n) as i32 / SAMPLES as i32) as i16);
    let before = speech[..cut - 1].iter().chain([&last]).map(|frame| Some(*frame));
    let after = speech[cut + 7..].iter().take(25).map(|frame| Some(*frame));
    let frames: Vec<Option<Frame>> = before.chain([None; GAP]).chain(after).collect();
    let ours = frames.iter().map(|frame| encoder.encode(frame.as_ref())).collect();
    let always = frames.iter().map(|frame| encode(&mut always, &frame.unwrap_or([0; SAMPLES]))).collect();
    (ours, always)
}

/// Returns cuts, mostly in the middle of words.
fn cuts() -> impl Iterator<Item = usize> {
    (20..speech().len() - 40).step_by(9)
}

fn decode(packets: &[Bytes], lost: Option<usize>) -> Vec<i16> {
    let mut decoder = Decoder::new(24_000, Channels::Mono).expect("libopus decodes at 24 kHz");
    let mut heard = vec![0; packets.len() * SAMPLES];
    for (n, frame) in heard.chunks_mut(SAMPLES).enumerate() {
        let (packet, fec) = if Some(n) == lost { (&packets[n + 1], true) } else { (&packets[n], false) };
        assert_eq!(decoder.decode(packet, frame, fec).ok(), Some(SAMPLES));
    }
    heard
}

fn reference(settings: EncoderSettings) -> Encoder {
    let mut encoder = Encoder::new(24_000, Channels::Mono, Application::Voip).expect("libopus encodes");
    encoder.set_bitrate(Bitrate::Bits(settings.bits_per_second as i32)).expect("a rate");
    encoder.set_max_bandwidth(Bandwidth::Wideband).expect("a band");
    encoder.set_bandwidth(Bandwidth::Wideband).expect("a band");
    encoder.set_signal(Signal::Voice).expect("speech");
    encoder.set_complexity(i32::from(settings.complexity)).expect("a complexity");
    encoder.set_packet_loss_perc(i32::from(settings.loss_percent)).expect("a loss");
    encoder.set_inband_fec(settings.fec).expect("correction");
    encode(&mut encoder, &[0; SAMPLES]);
    encoder.reset_state().expect("it begins again");
    encoder
}

fn encode(encoder: &mut Encoder, frame: &Frame) -> Bytes {
    Bytes::from(encoder.encode_vec(frame, 1_275).expect("20 ms can be encoded"))
}

fn speech() -> Vec<Frame> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/speech/agent-greeting.wav");
    let samples = hound::WavReader::open(file).expect("the fixture is there").into_samples();
    let samples: Vec<i16> = samples.collect::<Result<_, _>>().expect("16 bit");
    samples.chunks_exact(SAMPLES).map(|frame| frame.try_into().expect("a frame's worth")).collect()
}

/// Returns the level in dBFS, at least [`FLOOR`].
fn level(samples: &[i16]) -> f64 {
    let square = samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len() as f64;
    (10.0 * (square / 32_768_f64.powi(2)).max(1e-12).log10()).max(FLOOR)
}

fn peak(samples: &[i16]) -> f64 {
    let peak = samples.iter().map(|s| s.unsigned_abs()).max().unwrap_or_default();
    20.0 * (f64::from(peak.max(1)) / 32_768.0).log10()
}
