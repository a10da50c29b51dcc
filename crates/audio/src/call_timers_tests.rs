//! What patience promises, one sentence each.

use super::*;
use TimeoutReason::{BothSilent, CallerVanished, TookTooLong};
use TimerAction::{HangUp, IdlePrompt, SayGoodbye};

#[test]
fn a_caller_muted_for_two_minutes_is_nudged_and_not_hung_up_on() {
    let mut watch = Watch::open(CallLimits::default());

    let wanted = watch.run_until(120);

    assert_eq!(
        wanted,
        (1..=6).map(|times| (u64::from(times) * 20, IdlePrompt { times })).collect::<Vec<_>>()
    );
}

#[test]
fn a_line_that_stays_silent_is_wound_up_and_then_given_up_once() {
    let mut watch = Watch::open(CallLimits { idle_prompts: 1, ..CallLimits::default() });

    let wanted = watch.run_until(300);

    let expected = [(20, IdlePrompt { times: 1 }), (40, SayGoodbye(BothSilent)), (55, HangUp(BothSilent))];
    assert_eq!(wanted, expected);
}

#[test]
fn the_agents_own_nudge_is_no_sign_of_a_caller() {
    let mut watch = Watch::open(CallLimits { idle_prompts: 1, ..CallLimits::default() });
    watch.run_until(20);

    watch.timers.note_agent_speaking(watch.at(23));

    assert_eq!(watch.run_until(50), [(43, SayGoodbye(BothSilent))]);
}

#[test]
fn a_model_that_speaks_into_an_empty_line_by_itself_does_not_keep_it_open() {
    let mut watch = Watch::open(CallLimits { idle_prompts: 1, ..CallLimits::default() });
    let mut wanted = vec![];
    for second in 0..60 {
        // Two seconds of speech after each six of silence.
        if second % 8 < 2 {
            watch.timers.note_agent_speaking(watch.at(second));
        }
        wanted.extend(watch.run_until(second));
    }

    // The greeting lasted until the first second.
    assert_eq!(wanted, [(41, SayGoodbye(BothSilent)), (56, HangUp(BothSilent))]);
}

#[test]
fn a_caller_who_listens_to_a_long_answer_is_there() {
    let mut watch = Watch::open(CallLimits { idle_prompts: 0, ..CallLimits::default() });
    watch.timers.note_answer(watch.at(9));
    for second in 9..80 {
        watch.timers.note_agent_speaking(watch.at(second));
        assert_eq!(watch.run_until(second), []);
    }

    assert_eq!(watch.run_until(99), [(99, SayGoodbye(BothSilent))]);
}

#[test]
fn a_caller_who_answers_starts_the_count_again() {
    let mut watch = Watch::open(CallLimits { idle_prompts: 2, ..CallLimits::default() });
    watch.run_until(40);

    watch.timers.note_caller_active(watch.at(45));

    assert_eq!(watch.run_until(66), [(65, IdlePrompt { times: 1 })]);
}

#[test]
fn a_caller_who_speaks_up_during_the_goodbye_calls_it_off() {
    let mut watch = Watch::open(CallLimits { idle_prompts: 0, ..CallLimits::default() });
    assert_eq!(watch.run_until(20), [(20, SayGoodbye(BothSilent))]);

    watch.timers.note_caller_active(watch.at(30));

    assert_eq!(watch.run_until(50), [(50, SayGoodbye(BothSilent))]);
}

#[test]
fn a_caller_of_whom_nothing_comes_is_gone_at_once() {
    let start = Instant::now();
    let mut timers = CallTimers::open(CallLimits::default(), start);

    assert_eq!(timers.poll_timeout(), Some(start + secs(20)));
    assert_eq!(timers.poll(start + secs(20)), Some(HangUp(CallerVanished)));
    assert_eq!((timers.poll(start + secs(99)), timers.poll_timeout()), (None, None));
}

#[test]
fn the_longest_call_is_wound_up_though_everybody_is_talking() {
    let mut watch = Watch::open(CallLimits { longest: secs(90), ..CallLimits::default() });
    let mut wanted = vec![];
    for second in 0..120 {
        watch.timers.note_caller_active(watch.at(second));
        wanted.extend(watch.run_until(second));
    }

    assert_eq!(wanted, [(90, SayGoodbye(TookTooLong)), (105, HangUp(TookTooLong))]);
}

#[test]
fn a_long_tool_is_no_silence() {
    let mut watch = Watch::open(CallLimits::default());
    watch.timers.note_busy(true, watch.at(5));
    assert_eq!(watch.run_until(100), []);

    watch.timers.note_busy(false, watch.at(100));

    assert_eq!(watch.run_until(121), [(120, IdlePrompt { times: 1 })]);
}

#[test]
fn saying_again_that_there_is_nothing_to_wait_for_is_no_voice() {
    let mut watch = Watch::open(CallLimits::default());
    watch.run_until(19);

    watch.timers.note_busy(false, watch.at(19));

    assert_eq!(watch.run_until(20), [(20, IdlePrompt { times: 1 })]);
}

#[test]
fn nobody_is_nudged_on_the_way_out() {
    let mut watch = Watch::open(CallLimits { longest: secs(10), ..CallLimits::default() });
    watch.timers.note_hanging_up(true, watch.at(5));
    assert_eq!(watch.run_until(40), []);

    watch.timers.note_hanging_up(false, watch.at(40));

    assert_eq!(watch.run_until(40), [(40, SayGoodbye(TookTooLong))]);
}

struct Watch {
    start: Instant,
    second: u64,
    timers: CallTimers,
}

impl Watch {
    fn open(limits: CallLimits) -> Self {
        let start = Instant::now();
        Self { start, second: 0, timers: CallTimers::open(limits, start) }
    }

    fn at(&self, second: u64) -> Instant {
        self.start + secs(second)
    }

    /// Packets come all the time. What was wanted, and at which second.
    fn run_until(&mut self, second: u64) -> Vec<(u64, TimerAction)> {
        let mut wanted = vec![];
        while self.second <= second {
            let now = self.at(self.second);
            self.timers.note_packet(now);
            wanted.extend(self.timers.poll(now).map(|wanted| (self.second, wanted)));
            self.second += 1;
        }
        self.second = second;
        wanted
    }
}

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}
