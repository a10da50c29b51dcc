//! Runs a body on its corpus, as it is and a little damaged. What a fuzzer found once stays found, without a fuzzer.

use std::path::Path;

/// So often each input is damaged, each time otherwise but always in the same way.
const DAMAGED: usize = 12;

/// Runs everything in the corpus of this target. How much there was.
#[allow(clippy::print_stderr, reason = "a test may say what it does")]
pub(crate) fn replay(target: &str, run: impl Fn(&[u8])) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("fuzz/corpus"));
    let folder =
        folder.into_iter().find(|folder| folder.is_dir()).expect("the corpora are in the repository");
    let files = std::fs::read_dir(folder.join(target)).expect("every target has a corpus");
    let paths = files.map(|file| file.expect("it can be listed").path()).collect::<Vec<_>>();
    for path in &paths {
        let input = std::fs::read(path).expect("an input can be read");
        // A panic tells where; this tells with what.
        eprintln!("{}", path.display());
        run(&input);
        (0..DAMAGED).for_each(|times| run(&damaged(&input, times)));
    }
    paths.len()
}

fn damaged(input: &[u8], times: usize) -> Vec<u8> {
    let mut damaged = input.to_vec();
    let at = |of: usize| (times * 7_919 + input.len() * 104_729) % of.max(1);
    match (times % 4, damaged.len()) {
        (_, 0) => damaged.push(times as u8),
        (0, length) => damaged.truncate(at(length)),
        (1, length) => damaged[at(length)] ^= 1 << (times % 8),
        (2, length) => drop(damaged.drain(at(length)..(at(length) + 9).min(length))),
        (_, length) => damaged.insert(at(length), b"\0\"\r\\:,="[times % 7]),
    }
    damaged
}
