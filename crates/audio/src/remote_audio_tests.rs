//! Tests a call whose audio another service carries, on virtual time.

use super::*;

struct Line {
    audio: RemoteAudio,
    start: Instant,
    now: Instant,
    outputs: Vec<(u64, Output)>,
}

impl Line {
    fn open_with(policy: BargeInPolicy) -> Self {
        let now = Instant::now();
        let mut audio = RemoteAudio::new(CallLimits::default(), policy, DtmfOptions::default());
        audio.open(now);
        Self { audio, start: now, now, outputs: vec![] }
    }

    /// Returns an open line whose greeting was played in two seconds.
    fn greeted() -> Self {
        let mut line = Self::open_with(BargeInPolicy::default());
        line.says("greeting", 2_000);
        line.outputs.clear();
        line
    }

    fn handle(&mut self, event: RemoteEvent) {
        self.audio.handle(event, self.now);
        self.drain();
    }

    /// Generates a response at once, and begins to play it 200 ms later.
    fn begins(&mut self, response: &str) {
        let response = response.to_owned();
        self.handle(RemoteEvent::ResponseStarted { response: response.clone() });
        self.handle(RemoteEvent::Speaking { response: response.clone() });
        self.handle(RemoteEvent::ResponseDone { response: response.clone() });
        self.pass(200);
        self.handle(RemoteEvent::PlaybackStarted { response });
    }

    fn ends(&mut self, response: &str) {
        self.handle(RemoteEvent::PlaybackEnded { response: response.to_owned() });
    }

    /// Returns the milliseconds since the line was opened.
    fn elapsed_ms(&self) -> u64 {
        (self.now - self.start).as_millis() as u64
    }

    /// Begins a goodbye after which the agent hangs up, and returns when.
    fn begins_goodbye(&mut self) -> u64 {
        self.begins("goodbye");
        self.audio.hang_up_when_silent(self.now);
        self.elapsed_ms()
    }

    fn says(&mut self, response: &str, ms: u64) {
        self.begins(response);
        self.pass(ms);
        self.ends(response);
    }

    fn pass(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        while let Some(due) = self.audio.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.audio.handle_timeout(self.now);
            self.drain();
            assert!(
                self.audio.poll_timeout().is_none_or(|again| again > self.now),
                "a timeout that is never over"
            );
        }
        self.now = end;
    }

    fn drain(&mut self) {
        let at = self.elapsed_ms();
        self.outputs.extend(std::iter::from_fn(|| self.audio.poll_output()).map(|output| (at, output)));
    }

    fn outputs(&self) -> Vec<Output> {
        self.outputs.iter().map(|(_, output)| output.clone()).collect()
    }
}

#[test]
fn the_latency_ends_when_the_answer_begins_to_play() {
    let mut line = Line::greeted();
    line.handle(RemoteEvent::SpeechStarted);
    line.pass(1_000);
    line.handle(RemoteEvent::SpeechStopped);

    line.begins("answer");

    let took = Duration::from_millis(200);
    assert_eq!(line.outputs(), [Output::Answered { took, waited_for_tools: Duration::ZERO }]);
}

#[test]
fn a_hang_up_follows_300_ms_after_the_goodbye_was_played() {
    let mut line = Line::greeted();
    line.handle(RemoteEvent::ResponseStarted { response: "goodbye".into() });
    line.handle(RemoteEvent::Speaking { response: "goodbye".into() });
    line.handle(RemoteEvent::ResponseDone { response: "goodbye".into() });
    line.audio.hang_up_when_silent(line.now);
    line.pass(1_000);
    line.handle(RemoteEvent::PlaybackStarted { response: "goodbye".into() });
    line.pass(3_000);
    assert_eq!(line.outputs(), []);
    line.ends("goodbye");
    let ended_at = line.elapsed_ms();

    line.pass(5_000);

    assert_eq!(line.outputs, [(ended_at + 300, Output::HangUp)]);
}

#[test]
fn a_goodbye_that_never_stops_is_cut_after_ten_seconds() {
    let mut line = Line::greeted();
    let since = line.begins_goodbye();

    line.pass(60_000);

    assert_eq!(line.outputs, [(since + 10_000, Output::HangUp)]);
}

#[test]
fn a_caller_who_speaks_over_the_goodbye_postpones_the_hang_up() {
    let mut line = Line::greeted();
    line.begins_goodbye();
    line.handle(RemoteEvent::SpeechStarted);
    line.ends("goodbye");
    line.handle(RemoteEvent::SpeechStopped);
    line.says("answer", 1_000);
    line.pass(5_000);

    let kinds = line.outputs().into_iter().filter(|output| !matches!(output, Output::Answered { .. }));
    assert_eq!(kinds.collect::<Vec<_>>(), [Output::HangUpPostponed, Output::HangUpCancelled]);
}

#[test]
fn a_long_answer_is_no_silence() {
    let mut line = Line::greeted();

    line.says("a long answer", 90_000);

    assert_eq!(line.outputs(), []);
    line.pass(20_000);
    assert_eq!(line.outputs(), [Output::IdlePrompt { times: 1 }]);
}

#[test]
fn a_caller_who_never_speaks_is_prompted_and_then_left() {
    let mut line = Line::greeted();

    line.pass(10 * 60 * 1_000);

    let prompts =
        line.outputs().into_iter().filter(|output| matches!(output, Output::IdlePrompt { .. })).count();
    assert_eq!(prompts, 6);
    assert!(line.outputs().contains(&Output::SayGoodbye(TimeoutReason::BothSilent)));
    assert_eq!(line.outputs().last(), Some(&Output::ForceHangUp(TimeoutReason::BothSilent)));
}

#[test]
fn keys_interrupt_and_are_collected() {
    let mut line = Line::greeted();
    line.begins("answer");
    for key in "12#".chars() {
        line.handle(RemoteEvent::KeyPressed(key));
        if key == '1' {
            line.ends("answer");
        }
    }

    let outputs = line.outputs();
    assert_eq!(outputs[0], Output::CancelResponse);
    let [Output::Dtmf(digits)] = &outputs[1..] else { panic!("{outputs:?}") };
    assert_eq!(digits.keys(), "12");
}

#[test]
fn keys_leave_a_protected_greeting_alone() {
    let policy = BargeInPolicy { greeting_is_interruptible: false, ..BargeInPolicy::default() };
    let mut line = Line::open_with(policy);
    line.begins("greeting");

    line.handle(RemoteEvent::KeyPressed('1'));

    assert!(!line.outputs().contains(&Output::CancelResponse));
}

#[test]
fn a_goodbye_is_heard_to_its_end_though_the_connection_is_lost() {
    let mut line = Line::greeted();
    line.begins_goodbye();
    line.pass(500);
    line.handle(RemoteEvent::Lost);
    line.pass(2_000);
    assert_eq!(line.outputs(), []);
    line.ends("goodbye");
    let ended_at = line.elapsed_ms();

    line.pass(5_000);

    assert_eq!(line.outputs, [(ended_at + 300, Output::HangUp)]);
}

#[test]
fn a_goodbye_whose_end_goes_unnoticed_is_given_ten_seconds() {
    let mut line = Line::greeted();
    let since = line.begins_goodbye();
    line.handle(RemoteEvent::Lost);

    line.pass(60_000);

    assert_eq!(line.outputs, [(since + 10_300, Output::HangUp)]);
}

#[test]
fn speech_of_a_lost_connection_is_waited_for_ten_seconds_at_most() {
    let mut line = Line::greeted();
    line.begins("answer");
    let lost_at = line.elapsed_ms();
    line.handle(RemoteEvent::Lost);
    line.pass(5_000);
    line.audio.hang_up_when_silent(line.now);

    line.pass(60_000);

    assert_eq!(line.outputs, [(lost_at + 10_300, Output::HangUp)]);
}

#[test]
fn a_lost_service_hears_no_caller_and_generates_nothing() {
    let mut line = Line::greeted();
    line.handle(RemoteEvent::SpeechStarted);
    line.handle(RemoteEvent::ResponseStarted { response: "answer".into() });
    line.handle(RemoteEvent::Lost);
    line.outputs.clear();

    line.audio.hang_up_when_silent(line.now);
    line.pass(300);

    assert_eq!(line.outputs(), [Output::HangUp]);
}

#[test]
fn the_longest_call_ends_with_a_goodbye() {
    let mut line = Line::greeted();

    assert!(line.audio.end_now(TimeoutReason::TookTooLong));
    line.pass(1);

    assert_eq!(line.outputs(), [Output::SayGoodbye(TimeoutReason::TookTooLong)]);
}
