//! The phone's speaker: Opus packets in, what the caller hears out, aligned to the stream's own clock.

use crate::ProtocolViolation;
use opus::{Channels, Decoder};
use sim_audio::FRAME;

/// Ticks of the 48 kHz clock in one of our samples.
const TICKS: u32 = 2;
/// 120 ms, the longest Opus packet.
const LONGEST: usize = 6 * FRAME;
/// How many lost frames are concealed; beyond that, silence sounds better than guesses.
const CONCEALED: usize = 4;
/// A timestamp further ahead than this is no loss but another clock: 10 s.
const LARGEST_JUMP: u32 = 480_000;

/// Decodes in order; what is lost is filled, what is late is dropped.
pub(crate) struct Speaker {
    decoder: Decoder,
    next: Option<u32>,
}

/// What came out of the speaker because of one packet.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Played {
    /// Filled gaps first, then the packet's own sound.
    pub(crate) samples: Vec<i16>,
    /// Whether the packet's own sound contains speech.
    pub(crate) voiced: bool,
    pub(crate) fault: Option<ProtocolViolation>,
}

impl Speaker {
    /// A speaker that has not played anything.
    pub(crate) fn new() -> Result<Speaker, opus::Error> {
        Ok(Speaker { decoder: Decoder::new(sim_audio::RATE, Channels::Mono)?, next: None })
    }

    pub(crate) fn play(&mut self, timestamp: u32, payload: &[u8]) -> Played {
        let ahead = timestamp.wrapping_sub(self.next.unwrap_or(timestamp));
        if ahead > u32::MAX / 2 {
            return Played::default();
        }
        let lost = if ahead > LARGEST_JUMP { 0 } else { (ahead / TICKS) as usize / FRAME };
        let mut samples = self.conceal(lost, payload);
        match self.decode(payload, LONGEST, false) {
            Ok(own) => {
                self.next = Some(timestamp.wrapping_add(own.len() as u32 * TICKS));
                let voiced = sim_audio::level::is_voiced(&own);
                let fault = (own.len() != FRAME)
                    .then(|| ProtocolViolation::WrongDuration(sim_audio::duration(own.len())));
                samples.extend(own);
                Played { samples, voiced, fault }
            }
            Err(_) => Played { samples, voiced: false, fault: Some(ProtocolViolation::Undecodable) },
        }
    }

    /// Guesses a few lost frames, leaves silence for more, and takes the last one from the packet's own redundancy.
    fn conceal(&mut self, lost: usize, next: &[u8]) -> Vec<i16> {
        let mut samples = Vec::new();
        for n in 0..lost {
            let left = lost - n;
            let frame = match left {
                1 => self.decode(next, FRAME, true),
                _ if n < CONCEALED => self.decode(&[], FRAME, false),
                _ => Ok(vec![0; FRAME]),
            };
            samples.extend(frame.unwrap_or_else(|_| vec![0; FRAME]));
        }
        samples
    }

    fn decode(&mut self, payload: &[u8], most: usize, fec: bool) -> Result<Vec<i16>, opus::Error> {
        let mut samples = vec![0; most];
        let count = self.decoder.decode(payload, &mut samples, fec)?;
        samples.truncate(count);
        Ok(samples)
    }
}

#[cfg(test)]
mod tests {
    use super::super::microphone::{Microphone, PACE, Payload};
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn a_tone_is_heard_as_it_was_spoken() {
        let mut speaker = Speaker::new().unwrap();

        let heard: Vec<i16> = packets()
            .iter()
            .flat_map(|(timestamp, payload)| speaker.play(*timestamp, payload).samples)
            .collect();

        assert_eq!(sim_audio::duration(heard.len()), Duration::from_secs(1));
        assert!(sim_audio::tone::strength(&heard, 440.0) > 0.9);
    }

    #[test]
    fn lost_packets_leave_the_recording_as_long_as_it_was() {
        let mut speaker = Speaker::new().unwrap();
        let mut packets = packets();
        packets.drain(10..18);

        let heard: usize =
            packets.iter().map(|(timestamp, payload)| speaker.play(*timestamp, payload).samples.len()).sum();

        assert_eq!(sim_audio::duration(heard), Duration::from_secs(1));
    }

    #[test]
    fn a_late_packet_is_not_played() {
        let mut speaker = Speaker::new().unwrap();
        let packets = packets();
        speaker.play(packets[0].0, &packets[0].1);
        speaker.play(packets[2].0, &packets[2].1);

        assert_eq!(speaker.play(packets[1].0, &packets[1].1), Played::default());
    }

    #[test]
    fn another_clock_is_no_gap_of_hours() {
        let mut speaker = Speaker::new().unwrap();
        let packets = packets();
        speaker.play(0, &packets[0].1);

        assert_eq!(speaker.play(1_000_000_000, &packets[1].1).samples.len(), FRAME);
    }

    #[test]
    fn flags_packets_of_another_length_and_rubbish() {
        let mut encoder =
            opus::Encoder::new(sim_audio::RATE, Channels::Mono, opus::Application::Voip).unwrap();
        let forty = encoder.encode_vec(&[0; 2 * FRAME], 400).unwrap();
        let mut speaker = Speaker::new().unwrap();

        let fault = speaker.play(0, &forty).fault;
        assert_eq!(fault, Some(ProtocolViolation::WrongDuration(Duration::from_millis(40))));
        assert_eq!(speaker.play(1920, &[0xff; 3]).fault, Some(ProtocolViolation::Undecodable));
    }

    /// A second of 440 Hz.
    fn packets() -> Vec<(u32, Vec<u8>)> {
        let mut microphone = Microphone::new().unwrap();
        let t0 = Instant::now();
        microphone.open(t0);
        let samples = sim_audio::tone(440.0, Duration::from_secs(1));
        microphone.say(sim_audio::Clip { name: "tone".to_owned(), text: String::new(), samples });
        (0..50)
            .map(|n| microphone.poll_packet(t0 + PACE * n).unwrap())
            .map(|packet| match packet.payload {
                Some(Payload::Voice(voice)) => (packet.timestamp, voice),
                Some(Payload::Key(_) | Payload::Recorded(_)) | None => {
                    unreachable!("no key was pressed and the phone not muted")
                }
            })
            .collect()
    }
}
