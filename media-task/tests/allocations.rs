//! Checks that a frame of audio allocates nothing between the decrypted packet and the packet to encrypt, once the call runs.

use audio::{
    AgentEvent, BargeInPolicy, Bridge, CallLimits, DtmfOptions, EncoderTuning, ItemId, Output, Packet,
    SAMPLES,
};
use bytes::Bytes;
use media_task::codec::{self, OpusDecoder, OpusEncoder};
use std::time::{Duration, Instant};

#[test]
fn a_thousand_frames_of_speech_allocate_nothing() {
    let mut line = Line::open();
    line.run(0..100);

    let allocated = allocation_counter::measure(|| line.run(100..1_100));

    assert_eq!((allocated.count_total, line.heard), (0, 1_100 * SAMPLES));
}

#[test]
fn silence_and_reordered_packets_allocate_nothing() {
    let mut line = Line::open();
    line.is_reordering = true;
    line.run(0..1_400);

    let allocated = allocation_counter::measure(|| line.run(1_400..2_000));

    assert_eq!(allocated.count_total, 0);
}

struct Line {
    start: Instant,
    bridge: Bridge<Bytes>,
    encoder: OpusEncoder,
    decoder: OpusDecoder,
    packets: Vec<Bytes>,
    samples: Vec<i16>,
    heard: usize,
    is_reordering: bool,
}

impl Line {
    /// Opens a call in which the caller hums and the agent speaks for 25 s.
    fn open() -> Self {
        let start = Instant::now();
        let settings = EncoderTuning::new(20_000).settings();
        let mut caller = OpusEncoder::new(settings);
        let packets = (0..50).map(|n| caller.encode(Some(&hum(n)))).collect();
        let mut bridge = Bridge::new(CallLimits::default(), BargeInPolicy::default(), DtmfOptions::default());
        bridge.open(start);
        let samples = (0..1_250).flat_map(hum).collect();
        bridge.handle_agent(
            AgentEvent::Audio { response: "r1".into(), item: ItemId("story".into()), samples },
            start,
        );
        Self {
            start,
            bridge,
            encoder: OpusEncoder::new(settings),
            decoder: OpusDecoder::new(),
            packets,
            samples: Vec::with_capacity(8 * SAMPLES),
            heard: 0,
            is_reordering: false,
        }
    }

    fn run(&mut self, frames: std::ops::Range<u32>) {
        for n in frames {
            let now = self.start + Duration::from_millis(u64::from(n) * 20);
            let n = if self.is_reordering { n ^ 1 } else { n };
            let sound = codec::inspect(self.packets[n as usize % 50].clone());
            self.bridge.note_liveness(now);
            self.bridge
                .handle_packet(Packet { stream: 1, sequence: n as u16, timestamp: n * 960, sound }, now);
            self.bridge.handle_timeout(now);
            while let Some(step) = self.bridge.poll_step() {
                self.samples.clear();
                self.decoder.decode(&step, &mut self.samples);
                self.bridge.gate(&mut self.samples, now);
                self.heard += self.samples.len();
            }
            while let Some(output) = self.bridge.poll_output() {
                if let Output::Play(frame) = output {
                    drop(self.encoder.encode(frame.as_ref()));
                }
            }
        }
    }
}

fn hum(n: usize) -> audio::Frame {
    std::array::from_fn(|s| (8_000.0 * ((n * SAMPLES + s) as f64 * 0.1).sin()) as i16)
}
