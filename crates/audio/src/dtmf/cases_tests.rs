//! Reads every case of `fixtures/rtp`: telephone events as phones and gateways send them, and the digits they mean.

use super::{ClockRate, DtmfCollector, DtmfOptions, DtmfPacket, KeyPress};
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};

#[test]
fn every_case_yields_the_keys_that_were_pressed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/rtp");
    let mut read = 0;
    for file in std::fs::read_dir(folder).expect("fixtures/rtp exists") {
        let path = file.expect("fixtures/rtp is readable").path();
        let case = std::fs::read_to_string(&path).expect("the case is UTF-8");
        let case: Value = serde_json::from_str(&case).expect("the case is JSON");

        let keys = keys_of(&case);

        assert_eq!(Some(keys.as_str()), case["want_keys"].as_str(), "{}", path.display());
        read += 1;
    }
    assert!(read >= 9, "{read} cases");
}

/// Collects the digits of a case's packets, with a pause after them.
fn keys_of(case: &Value) -> String {
    let clock = if case["payload_type"] == 110 { ClockRate::Khz48 } else { ClockRate::Khz8 };
    let (start, mut keys) = (Instant::now(), DtmfCollector::new(DtmfOptions::default()));
    let mut now = start;
    let packets = case["packets"].as_array().expect("a case has packets");
    for packet in packets {
        let number = |n: usize| packet[n].as_u64().expect("a number");
        let hex = u32::from_str_radix(packet[3].as_str().expect("hex"), 16).expect("hex");
        let payload = hex.to_be_bytes();
        let (sequence, timestamp) = (40_000 + number(1) as u16, 7_000_000 + number(2) as u32);
        now = start + Duration::from_millis(number(0));
        let packet = DtmfPacket { stream: 1, sequence, timestamp, clock, payload: &payload };
        keys.handle(&packet, KeyPress::read(&payload, clock).expect("a key"), now);
    }
    let keyed = keys.poll(now + Duration::from_secs(2));
    keyed.map_or_else(String::new, |keyed| keyed.keys().to_owned())
}
