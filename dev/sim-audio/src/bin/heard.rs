//! Prints which sentences WAV files contain, one on a line with how alike it is: `heard FILE...`.

use sim_audio::{RATE, clips, hearing, wav};
use std::path::Path;
use std::process::ExitCode;

#[allow(clippy::print_stdout, clippy::print_stderr, reason = "this is what the command is for")]
fn main() -> ExitCode {
    for file in std::env::args().skip(1) {
        match wav::read(Path::new(&file)) {
            Ok(recording) => sentences(&recording).for_each(|(name, alike)| println!("{name} {alike:.2}")),
            Err(error) => {
                eprintln!("heard: {file}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Finds every sentence that the recording contains; those too short to distinguish are not looked for. Sentences may begin alike, so of
/// those that fit at one place only the best counts.
fn sentences(recording: &[i16]) -> impl Iterator<Item = (String, f64)> {
    let mut found: Vec<_> = clips::all()
        .into_iter()
        .filter(|clip| clip.samples.len() > RATE as usize)
        .filter_map(|clip| Some((hearing::find(&clip.samples, recording)?, clip)))
        .filter(|(place, _)| place.correlation >= hearing::HEARD)
        .collect();
    found.sort_by(|(a, _), (b, _)| b.correlation.total_cmp(&a.correlation));
    let mut taken: Vec<usize> = vec![];
    found.retain(|(place, _)| {
        let is_free = taken.iter().all(|at| at.abs_diff(place.at) > RATE as usize / 2);
        if is_free {
            taken.push(place.at);
        }
        is_free
    });
    found.into_iter().map(|(place, clip)| (clip.name, place.correlation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_greetings_that_sound_alike_the_one_that_was_said_is_found() {
        for said in [clips::agent_greeting(), clips::agent_greeting_amina(), clips::agent_greeting_there()] {
            let mut recording = vec![0; RATE as usize];
            recording.extend(&said.samples);
            recording.extend(vec![0; RATE as usize]);

            let names: Vec<_> = sentences(&recording).map(|(name, _)| name).collect();

            assert_eq!(names, [said.name]);
        }
    }
}
