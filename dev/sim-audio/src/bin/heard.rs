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

/// Finds every sentence that the recording contains; those too short to distinguish are not looked for.
fn sentences(recording: &[i16]) -> impl Iterator<Item = (String, f64)> {
    clips::all().into_iter().filter(|clip| clip.samples.len() > RATE as usize).filter_map(|clip| {
        let found = hearing::find(&clip.samples, recording)?;
        (found.correlation >= hearing::HEARD).then_some((clip.name, found.correlation))
    })
}
