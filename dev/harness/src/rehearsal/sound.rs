//! Compares recordings with what was said: what each side heard, and how much of an interrupted sentence.

use super::Evidence;
use sim_audio::hearing::{HEARD, find};
use sim_audio::level::is_voiced;
use sim_audio::{Clip, FRAME, clips};
use sim_openai::Spoken;
use std::collections::BTreeMap;

/// How well each clip fits into what was heard, by its name: 1 is perfectly, [`HEARD`] is enough.
pub(super) type Heard = BTreeMap<String, Option<f64>>;

/// What the caller heard of the agent. Of an interrupted sentence, as much as the product says was heard.
pub(super) fn by_caller<R>(evidence: &Evidence<R>) -> Heard {
    evidence.script.agent.iter().map(|clip| fit(&upto(clip.clone(), evidence), &evidence.recording)).collect()
}

/// What the agent heard of the caller.
pub(super) fn by_agent<R>(evidence: &Evidence<R>) -> Heard {
    let heard: Vec<i16> = evidence.sessions.iter().flat_map(|session| session.heard.clone()).collect();
    evidence.script.caller.iter().map(|clip| fit(clip, &heard)).collect()
}

pub(super) fn is_all_heard(heard: &Heard) -> bool {
    heard.values().all(|fit| fit.is_some_and(|fit| fit >= HEARD))
}

/// A sentence may be found so much after its beginning, samples: where a packet came late, a recording is stretched. Before the
/// closing sentence the agent is silent for longer.
const STRETCHED: usize = 10 * FRAME;

/// How much more of the interrupted sentence the product claims was heard than the caller's phone played, ms. Both
/// are measured to the last voiced frame, so a pause in the sentence does not count.
pub(super) fn claimed_too_much_ms<R>(evidence: &Evidence<R>) -> Option<i64> {
    let claimed = upto(clips::agent_long(), evidence);
    let at = find(&claimed.samples, &evidence.recording)?.at;
    let after = evidence.recording.get(at..)?;
    let closing = find(&clips::agent_closing().samples, after).map_or(after.len(), |found| found.at);
    let interrupted = &after[..closing.saturating_sub(STRETCHED)];
    Some(last_voiced_ms(&claimed.samples)? - last_voiced_ms(interrupted)?)
}

fn last_voiced_ms(samples: &[i16]) -> Option<i64> {
    let last = samples.chunks_exact(FRAME).rposition(is_voiced)?;
    Some((last as i64 + 1) * 20)
}

fn upto<R>(clip: Clip, evidence: &Evidence<R>) -> Clip {
    let spoken = evidence.sessions.iter().flat_map(|session| &session.spoken);
    match spoken
        .filter(|spoken| spoken.clip == clip.name)
        .find_map(|Spoken { truncated_at_ms, .. }| *truncated_at_ms)
    {
        Some(heard_ms) => {
            let samples = clip.samples[..clip.samples.len().min(heard_ms as usize * FRAME / 20)].to_vec();
            Clip { samples, ..clip }
        }
        None => clip,
    }
}

fn fit(clip: &Clip, recording: &[i16]) -> (String, Option<f64>) {
    let fit = find(&clip.samples, recording).map(|found| (found.correlation * 1_000.0).round() / 1_000.0);
    (clip.name.clone(), fit)
}
