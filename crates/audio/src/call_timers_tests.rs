//! Call timers: idle prompts, goodbyes and maximum duration.

use super::*;
use TimeoutReason::{BothSilent, CallerVanished, TookTooLong};
use TimerAction::{HangUp, IdlePrompt, SayGoodbye};

#[test]
fn a_caller_muted_for_two_minutes_gets_only_idle_prompts() {
    let mut call = TimedCall::open(CallLimits::default());

    let actions = call.run_until(120);

    assert_eq!(
        actions,
        (1..=6).map(|times| (u64::from(times) * 20, IdlePrompt { times })).collect::<Vec<_>>()
    );
}

#[test]
fn an_idle_line_gets_a_goodbye_and_one_hang_up() {
    let mut call = TimedCall::open(CallLimits { idle_prompts: 1, ..CallLimits::default() });

    let actions = call.run_until(300);

    let expected = [(20, IdlePrompt { times: 1 }), (40, SayGoodbye(BothSilent)), (55, HangUp(BothSilent))];
    assert_eq!(actions, expected);
}

#[test]
fn the_idle_prompt_itself_is_no_activity_of_the_caller() {
    let mut call = TimedCall::open(CallLimits { idle_prompts: 1, ..CallLimits::default() });
    call.run_until(20);

    call.timers.note_agent_speaking(call.at(23));

    assert_eq!(call.run_until(50), [(43, SayGoodbye(BothSilent))]);
}

#[test]
fn unprompted_speech_does_not_keep_an_empty_line_open() {
    let mut call = TimedCall::open(CallLimits { idle_prompts: 1, ..CallLimits::default() });
    let mut actions = vec![];
    for second in 0..60 {
        // Two seconds of speech after every six of silence.
        if second % 8 < 2 {
            call.timers.note_agent_speaking(call.at(second));
        }
        actions.extend(call.run_until(second));
    }

    // The greeting lasted until the first second.
    assert_eq!(actions, [(41, SayGoodbye(BothSilent)), (56, HangUp(BothSilent))]);
}

#[test]
fn a_caller_who_listens_to_a_long_answer_is_there() {
    let mut call = TimedCall::open(CallLimits { idle_prompts: 0, ..CallLimits::default() });
    call.timers.note_answer(call.at(9));
    for second in 9..80 {
        call.timers.note_agent_speaking(call.at(second));
        assert_eq!(call.run_until(second), []);
    }

    assert_eq!(call.run_until(99), [(99, SayGoodbye(BothSilent))]);
}

#[test]
fn an_answer_of_the_caller_resets_the_idle_prompts() {
    let mut call = TimedCall::open(CallLimits { idle_prompts: 2, ..CallLimits::default() });
    call.run_until(40);

    call.timers.note_caller_active(call.at(45));

    assert_eq!(call.run_until(66), [(65, IdlePrompt { times: 1 })]);
}

#[test]
fn speech_during_an_idle_goodbye_cancels_it() {
    let mut call = TimedCall::open(CallLimits { idle_prompts: 0, ..CallLimits::default() });
    assert_eq!(call.run_until(20), [(20, SayGoodbye(BothSilent))]);

    call.timers.note_caller_active(call.at(30));

    assert_eq!(call.run_until(50), [(50, SayGoodbye(BothSilent))]);
}

#[test]
fn a_caller_without_packets_ends_the_call_without_a_goodbye() {
    let start = Instant::now();
    let mut timers = CallTimers::open(CallLimits::default(), start);

    assert_eq!(timers.poll_timeout(), Some(start + secs(20)));
    assert_eq!(timers.poll(start + secs(20)), Some(HangUp(CallerVanished)));
    assert_eq!((timers.poll(start + secs(99)), timers.poll_timeout()), (None, None));
}

#[test]
fn the_maximum_duration_ends_a_call_in_mid_conversation() {
    let mut call = TimedCall::open(CallLimits { longest: secs(90), ..CallLimits::default() });
    let mut actions = vec![];
    for second in 0..120 {
        call.timers.note_caller_active(call.at(second));
        actions.extend(call.run_until(second));
    }

    assert_eq!(actions, [(90, SayGoodbye(TookTooLong)), (105, HangUp(TookTooLong))]);
}

#[test]
fn a_running_tool_call_is_not_idle() {
    let mut call = TimedCall::open(CallLimits::default());
    call.timers.note_busy(true, call.at(5));
    assert_eq!(call.run_until(100), []);

    call.timers.note_busy(false, call.at(100));

    assert_eq!(call.run_until(121), [(120, IdlePrompt { times: 1 })]);
}

#[test]
fn a_repeated_not_busy_does_not_reset_the_idle_timer() {
    let mut call = TimedCall::open(CallLimits::default());
    call.run_until(19);

    call.timers.note_busy(false, call.at(19));

    assert_eq!(call.run_until(20), [(20, IdlePrompt { times: 1 })]);
}

#[test]
fn no_idle_prompt_during_a_hang_up() {
    let mut call = TimedCall::open(CallLimits { longest: secs(10), ..CallLimits::default() });
    call.timers.note_hanging_up(true, call.at(5));
    assert_eq!(call.run_until(40), []);

    call.timers.note_hanging_up(false, call.at(40));

    assert_eq!(call.run_until(40), [(40, SayGoodbye(TookTooLong))]);
}

struct TimedCall {
    start: Instant,
    second: u64,
    timers: CallTimers,
}

impl TimedCall {
    fn open(limits: CallLimits) -> Self {
        let start = Instant::now();
        Self { start, second: 0, timers: CallTimers::open(limits, start) }
    }

    fn at(&self, second: u64) -> Instant {
        self.start + secs(second)
    }

    /// Runs up to a second with packets all the time, and returns the actions with their seconds.
    fn run_until(&mut self, second: u64) -> Vec<(u64, TimerAction)> {
        let mut actions = vec![];
        while self.second <= second {
            let now = self.at(self.second);
            self.timers.note_packet(now);
            actions.extend(self.timers.poll(now).map(|actions| (self.second, actions)));
            self.second += 1;
        }
        self.second = second;
        actions
    }
}

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}
