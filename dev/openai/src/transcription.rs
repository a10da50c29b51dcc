//! Understands speech: by knowing beforehand what could be said.

use std::time::Duration;
use tone::{Clip, hearing};

/// Shown for speech that is none of the known sentences.
pub const UNCLEAR: &str = "(unclear)";

/// Turns are cut close to the speech; a clip has silence around it.
const MARGIN: Duration = Duration::from_millis(600);

/// The known sentence that this sound holds.
pub fn transcribe(sound: &[i16], known: &[Clip]) -> String {
    let margin = vec![0; tone::samples(MARGIN)];
    let recording = [&margin, sound, &margin].concat();
    let best = known
        .iter()
        .filter_map(|clip| Some((hearing::find(&clip.samples, &recording)?.correlation, clip)))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .filter(|(correlation, _)| *correlation > hearing::HEARD);
    best.map_or_else(|| UNCLEAR.to_owned(), |(_, clip)| clip.text.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tone::clips;

    #[test]
    fn a_known_sentence_is_understood_and_another_is_not() {
        let known = [clips::caller_question(), clips::caller_directions()];

        assert_eq!(transcribe(&known[1].samples, &known), known[1].text);
        assert_eq!(transcribe(&clips::agent_answer().samples, &known), UNCLEAR);
        assert_eq!(transcribe(&[], &known), UNCLEAR);
    }
}
