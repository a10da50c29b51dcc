//! Parses what a caller does from one line: `say caller-question`, `press 1#`, `hear-for 2000`.

use super::CallerStep;
use sim_audio::clips;
use std::str::FromStr;
use std::time::Duration;

/// A line that says nothing a caller can do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is none of: hear-out, hear-for MILLISECONDS, wait MILLISECONDS, say SENTENCE, press KEYS, hang-up"
)]
pub struct UnknownStep(String);

impl FromStr for CallerStep {
    type Err = UnknownStep;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let (verb, object) = line.split_once(' ').unwrap_or((line, ""));
        let time = || object.parse().ok().map(Duration::from_millis);
        let step = match verb {
            "hear-out" => Some(Self::HearOut),
            "hear-for" => time().map(Self::HearFor),
            "wait" => time().map(Self::Wait),
            "say" => clips::named(object).map(Self::Say),
            "press" if !object.is_empty() => Some(Self::Press(object.to_owned())),
            "hang-up" => Some(Self::HangUp),
            _ => None,
        };
        step.ok_or_else(|| UnknownStep(line.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_has_its_line() {
        let steps = ["hear-out", "hear-for 2000", "wait 50", "say caller-mhm", "press 1#", "hang-up"];

        let steps: Vec<CallerStep> = steps.iter().map(|line| line.parse().expect("it is one")).collect();

        let wanted = [
            CallerStep::HearOut,
            CallerStep::HearFor(Duration::from_secs(2)),
            CallerStep::Wait(Duration::from_millis(50)),
            CallerStep::Say(clips::caller_mhm()),
            CallerStep::Press("1#".to_owned()),
            CallerStep::HangUp,
        ];
        assert_eq!(steps, wanted);
        for line in ["", "say nothing", "wait long", "press", "cough"] {
            assert!(line.parse::<CallerStep>().is_err(), "{line}");
        }
    }
}
