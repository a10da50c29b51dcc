//! Turns words of the agent file into an instruction to the model.

use agents::Words;

/// Returns words of the agent file as an instruction to the model.
pub(crate) fn instruction(words: &Words) -> String {
    match words {
        Words::Exact(words) => format!("Say exactly this, and nothing else: {words}"),
        Words::Prompt(prompt) => prompt.clone(),
    }
}
