//! The caller: says sentences, presses keys, listens to the agent, hangs up, by a script or by order.

use super::super::{AgentSpeech, CallerStep};
use super::Call;
use crate::format::Format;
use sim_audio::level::is_voiced;
use sim_audio::{Clip, FRAME};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// From one key to the next.
const KEYS_APART: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub(super) struct Caller {
    script: VecDeque<CallerStep>,
    quiet: Duration,
    /// What is being said, as the telephone carries it.
    saying: VecDeque<i16>,
    keys: VecDeque<char>,
    next_key: Instant,
    waits_until: Option<Instant>,
    /// When the caller's last word was, or the call was answered: what the agent says after that is an answer.
    since: Instant,
}

/// What a caller does within 20 ms.
#[derive(Debug, Default)]
pub(super) struct CallerFrame {
    pub(super) samples: Vec<i16>,
    pub(super) key: Option<char>,
    pub(super) hangs_up: bool,
}

impl Caller {
    pub(super) fn new(script: &[CallerStep], quiet: Duration, now: Instant) -> Self {
        Self {
            script: script.iter().cloned().collect(),
            quiet,
            saying: VecDeque::new(),
            keys: VecDeque::new(),
            next_key: now,
            waits_until: None,
            since: now,
        }
    }

    pub(super) fn answered(&mut self, now: Instant) {
        self.since = now;
    }

    pub(super) fn say(&mut self, clip: &Clip, now: Instant) {
        let before = sim_audio::duration(self.saying.len());
        let last_word =
            clip.samples.chunks(FRAME).rposition(is_voiced).map_or(0, |frame| (frame + 1) * FRAME);
        self.since = now + before + sim_audio::duration(last_word);
        let carried = Format::Mulaw.decode(&Format::Mulaw.encode(&clip.samples));
        self.saying.extend(carried.unwrap_or_default());
    }

    pub(super) fn press(&mut self, keys: &str, now: Instant) {
        self.keys.extend(keys.chars());
        self.next_key = self.next_key.max(now);
    }

    /// The next 20 ms. `agent` is what was heard of the agent so far.
    pub(super) fn frame(&mut self, agent: &[AgentSpeech], now: Instant) -> CallerFrame {
        let hangs_up = self.follow_script(agent, now);
        let length = self.saying.len().min(FRAME);
        let mut samples: Vec<i16> = self.saying.drain(..length).collect();
        samples.resize(FRAME, 0);
        let key = if self.next_key <= now { self.keys.pop_front() } else { None };
        if key.is_some() {
            (self.next_key, self.since) = (now + KEYS_APART, now);
        }
        CallerFrame { samples, key, hangs_up }
    }

    /// Takes every step that it is time for. Returns whether the caller hangs up.
    fn follow_script(&mut self, agent: &[AgentSpeech], now: Instant) -> bool {
        while self.saying.is_empty() && self.keys.is_empty() {
            let Some(step) = self.script.front() else { return false };
            let is_done = match step {
                CallerStep::HearOut => self.has_heard_out(agent, now),
                CallerStep::HearFor(time) => self.has_heard_for(*time, agent, now),
                CallerStep::Wait(time) => *self.waits_until.get_or_insert(now + *time) <= now,
                CallerStep::Say(_) | CallerStep::Press(_) | CallerStep::HangUp => true,
            };
            if !is_done {
                return false;
            }
            self.waits_until = None;
            match self.script.pop_front() {
                Some(CallerStep::Say(clip)) => self.say(&clip, now),
                Some(CallerStep::Press(keys)) => self.press(&keys, now),
                Some(CallerStep::HangUp) => return true,
                Some(CallerStep::HearOut | CallerStep::HearFor(_) | CallerStep::Wait(_)) | None => {}
            }
        }
        false
    }

    fn has_heard_out(&self, agent: &[AgentSpeech], now: Instant) -> bool {
        let last = agent.last().filter(|speech| speech.started >= self.since);
        last.and_then(|speech| speech.stopped).is_some_and(|stopped| stopped + self.quiet <= now)
    }

    fn has_heard_for(&self, time: Duration, agent: &[AgentSpeech], now: Instant) -> bool {
        let last = agent.last().filter(|speech| speech.started >= self.since);
        last.is_some_and(|speech| speech.started + time <= now || speech.stopped.is_some())
    }
}

impl Call {
    /// The caller says something, once all that was to be said before is said.
    pub(crate) fn say(&mut self, clip: &Clip, now: Instant) {
        self.caller.say(clip, now);
    }

    /// The caller presses keys.
    pub(crate) fn press(&mut self, keys: &str, now: Instant) {
        self.caller.press(keys, now);
    }

    /// The service hears the caller's next 20 ms. A real server's events have an id for some keys and none for others.
    pub(super) fn hear_caller(&mut self, now: Instant) {
        let frame = self.caller.frame(&self.report.agent, now);
        let Some(session) = self.session.clone() else { return };
        session.lock().hear(&frame.samples, now);
        if let Some(key) = frame.key {
            self.keys_heard += 1;
            session.lock().hear_key(key, self.keys_heard.is_multiple_of(2), now);
        }
        if frame.hangs_up {
            self.hang_up(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_audio::clips;

    #[test]
    fn a_caller_hears_the_agent_out_before_saying_anything() {
        let now = Instant::now();
        let script = [CallerStep::HearOut, CallerStep::Say(clips::caller_question())];
        let mut caller = Caller::new(&script, ms(600), now);
        let mut greeting = speech(now + ms(100), None);

        assert!(is_silence(&caller.frame(std::slice::from_ref(&greeting), now + ms(3_000))));
        greeting.stopped = Some(now + ms(3_000));
        assert!(is_silence(&caller.frame(std::slice::from_ref(&greeting), now + ms(3_599))));
        assert!(caller.saying.is_empty());
        caller.frame(&[greeting], now + ms(3_600));
        assert!(!caller.saying.is_empty());
    }

    #[test]
    fn a_caller_interrupts_and_waits_for_another_answer() {
        let now = Instant::now();
        let script = [
            CallerStep::HearFor(ms(700)),
            CallerStep::Say(clips::caller_mhm()),
            CallerStep::HearOut,
            CallerStep::HangUp,
        ];
        let mut caller = Caller::new(&script, ms(600), now);
        let agent = [speech(now, None)];
        let said = frames(&mut caller, &agent, now + ms(700), clips::caller_mhm().duration());
        assert!(said.iter().any(|frame| !is_silence(frame)));

        let cut = AgentSpeech { stopped: Some(now + ms(800)), was_cut: true, ..agent[0].clone() };
        assert!(
            !caller.frame(std::slice::from_ref(&cut), now + ms(9_000)).hangs_up,
            "what was cut is no answer"
        );
        let answer = speech(now + ms(9_000), Some(now + ms(9_500)));
        assert!(caller.frame(&[cut, answer], now + ms(10_100)).hangs_up);
    }

    #[test]
    fn keys_come_one_after_the_other() {
        let now = Instant::now();
        let mut caller = Caller::new(&[CallerStep::Press("42#".to_owned())], ms(600), now);

        let frames = frames(&mut caller, &[], now, ms(1_000));

        let keys: Vec<_> = frames.iter().enumerate().filter_map(|(n, frame)| Some((n, frame.key?))).collect();
        assert_eq!(keys, [(0, '4'), (13, '2'), (26, '#')]);
    }

    fn frames(caller: &mut Caller, agent: &[AgentSpeech], from: Instant, time: Duration) -> Vec<CallerFrame> {
        (0..time.as_millis() as u64 / 20 + 1).map(|n| caller.frame(agent, from + ms(20 * n))).collect()
    }

    fn is_silence(frame: &CallerFrame) -> bool {
        frame.samples.iter().all(|sample| *sample == 0)
    }

    fn speech(started: Instant, stopped: Option<Instant>) -> AgentSpeech {
        AgentSpeech { response: "resp".to_owned(), started, stopped, was_cut: false }
    }

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }
}
