//! Understands speech: by knowing beforehand what could be said.

use sim_audio::level::is_voiced;
use sim_audio::{Clip, FRAME, clips, hearing};
use std::time::Duration;

/// Shown for speech that is none of the known sentences.
pub(crate) const UNCLEAR: &str = "(unclear)";

/// Made up where nothing was said, as transcribers do.
pub(crate) const MADE_UP: &str = "Thank you for watching!";

/// Turns are cut close to the speech; a clip has silence around it.
const MARGIN: Duration = Duration::from_millis(600);

/// A sentence much shorter than the turn is not what was said, however well it fits a part of it.
const SHORTER: usize = 4;

/// Voiced frames of a turn that no sentence is as long as, 30 s.
const LONG: usize = 1_500;

/// The known sentence that this sound holds.
pub(crate) fn transcribe(sound: &[i16], known: &[Clip]) -> String {
    let margin = vec![0; sim_audio::samples(MARGIN)];
    let recording = [&margin, sound, &margin].concat();
    let voiced = voiced_frames(sound);
    if voiced == 0 {
        return MADE_UP.to_owned();
    }
    // It takes long to make, so it is made on first use.
    let monologue = (voiced > LONG).then(clips::caller_monologue);
    let best = known
        .iter()
        .chain(&monologue)
        .filter(|clip| voiced_frames(&clip.samples) * SHORTER >= voiced)
        .filter_map(|clip| Some((hearing::find(&clip.samples, &recording)?.correlation, clip)))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .filter(|(correlation, _)| *correlation > hearing::HEARD);
    best.map_or_else(|| UNCLEAR.to_owned(), |(_, clip)| clip.text.clone())
}

fn voiced_frames(sound: &[i16]) -> usize {
    sound.chunks_exact(FRAME).filter(|frame| is_voiced(frame)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_sentence_is_understood_and_another_is_not() {
        let known = [clips::caller_question(), clips::caller_directions()];

        assert_eq!(transcribe(&known[1].samples, &known), known[1].text);
        assert_eq!(transcribe(&clips::agent_answer().samples, &known), UNCLEAR);
        assert_eq!(transcribe(&[0; 24_000], &known), MADE_UP);
    }

    #[test]
    fn a_sound_found_in_a_long_sentence_is_not_the_sentence() {
        let long = clips::agent_long();

        assert_eq!(transcribe(&long.samples, &[clips::caller_mhm()]), UNCLEAR);
    }
}
