//! Packets of the microphone, beat by beat.

use super::*;
use sim_audio::level::is_voiced;

#[test]
fn nothing_is_sent_before_it_is_open() {
    let mut microphone = Microphone::new().unwrap();

    assert_eq!(microphone.poll_packet(Instant::now()), None);
    assert_eq!(microphone.poll_timeout(), None);
}

#[test]
fn silence_is_a_packet_every_20_ms_too() {
    let (mut microphone, t0) = open();
    let packets: Vec<Packet> = (0..10).map(|n| microphone.poll_packet(t0 + PACE * n).unwrap()).collect();

    assert_eq!(microphone.poll_packet(t0 + PACE * 10 - Duration::from_millis(1)), None);
    assert_eq!(packets[9].timestamp, 9 * 960);
    assert_eq!(packets[9].due, t0 + PACE * 9);
    assert_eq!(packets[9].payload, packets[5].payload, "the encoder rests");
}

#[test]
fn a_protecting_microphone_recovers_a_lost_packet_from_the_next_one() {
    let mut microphone = Microphone::protecting().unwrap();
    let t0 = Instant::now();
    microphone.open(t0);
    microphone.say(sim_audio::clips::caller_question());
    let mut decoder = opus::Decoder::new(sim_audio::RATE, opus::Channels::Mono).unwrap();
    let mut recovered = [0; FRAME];

    for n in 0..60 {
        let Some(Payload::Voice(voice)) = microphone.poll_packet(t0 + PACE * n).unwrap().payload else {
            panic!("it is open")
        };
        assert_eq!(opus::packet::get_bandwidth(&voice).unwrap(), opus::Bandwidth::Wideband, "packet {n}");
        if n == 40 {
            decoder.decode(&voice, &mut recovered, true).unwrap();
        }
    }

    assert!(is_voiced(&recovered), "nothing that the decoder has heard before could be made up from");
}

#[test]
fn a_clip_reports_its_first_and_last_voiced_frame() {
    let (mut microphone, t0) = open();
    let mut samples = vec![0; 2 * FRAME];
    samples.extend(sim_audio::tone(440.0, Duration::from_millis(100)));
    samples.extend(vec![0; FRAME]);
    microphone.say(clip(samples));

    let edges: Vec<_> = (0..10).map(|n| microphone.poll_packet(t0 + PACE * n).unwrap().edge).collect();

    assert_eq!(edges[2], Some(Edge::First("clip".to_owned())));
    assert_eq!(edges[6], Some(Edge::Last("clip".to_owned())));
    assert_eq!(edges.iter().flatten().count(), 2);
}

#[test]
fn a_key_interrupts_the_voice_and_the_clock_goes_on() {
    let (mut microphone, t0) = open();
    microphone.say(clip(sim_audio::tone(440.0, Duration::from_millis(100))));
    let mut packets = vec![microphone.poll_packet(t0).unwrap()];
    microphone.press(&[Key::on_keypad('4').unwrap()]);

    packets.extend((1..12).map(|n| microphone.poll_packet(t0 + PACE * n).unwrap()));

    let keys = packets.iter().filter(|packet| matches!(packet.payload, Some(Payload::Key(_)))).count();
    assert_eq!(keys, 7);
    assert!(packets[1..8].iter().all(|packet| packet.timestamp == 960), "all of a key are of one time");
    assert_eq!(packets.iter().map(|packet| packet.n).collect::<Vec<u32>>(), (0..12).collect::<Vec<u32>>());
    assert_eq!((packets[8].timestamp, &packets[11].edge), (8 * 960, &Some(Edge::Last("clip".to_owned()))));
    let marked: Vec<u32> = packets.iter().filter(|packet| packet.marker).map(|packet| packet.n).collect();
    assert_eq!(marked, [0, 1, 8]);
}

#[test]
fn a_muted_phone_sends_nothing_and_its_clock_goes_on() {
    let (mut microphone, t0) = open();
    let mut next = (0..).map(|n| t0 + PACE * n);
    let mut poll = |microphone: &mut Microphone| microphone.poll_packet(next.next().unwrap()).unwrap();
    poll(&mut microphone);
    microphone.mute(true);
    assert_eq!([poll(&mut microphone).payload, poll(&mut microphone).payload], [None, None]);

    microphone.mute(false);
    let packet = poll(&mut microphone);

    assert_eq!((packet.n, packet.timestamp, packet.marker), (1, 3 * 960, true));
}

#[test]
fn even_an_empty_clip_is_reported_once() {
    let (mut microphone, t0) = open();
    microphone.say(clip(Vec::new()));

    assert_eq!(microphone.poll_packet(t0).unwrap().edge, Some(Edge::Only("clip".to_owned())));
    assert_eq!(microphone.poll_packet(t0 + PACE).unwrap().edge, None);
}

fn open() -> (Microphone, Instant) {
    let mut microphone = Microphone::new().unwrap();
    let t0 = Instant::now();
    microphone.open(t0);
    (microphone, t0)
}

fn clip(samples: Vec<i16>) -> Clip {
    Clip { name: "clip".to_owned(), text: String::new(), samples }
}
