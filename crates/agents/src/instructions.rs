//! The session's instructions: the operator's, and the duties of every agent.

use crate::{Agent, Tools, Words};

impl Agent {
    /// Returns the instructions of the session: the operator's, and the duties of every agent.
    pub fn whole_instructions(&self) -> String {
        let mut duties = vec![
            "You are on the telephone: speak in short, plain sentences; no lists, no formatting.".to_owned(),
            format!(
                "Speak the language \"{}\". If the caller plainly speaks another one, speak that.",
                self.language
            ),
            "Never claim to be a human being.".to_owned(),
        ];
        duties.extend(self.disclosure.as_ref().map(|line| {
            format!("In your greeting, once, say this line, in the language the greeting is in: \"{line}\"")
        }));
        duties.extend(tools(&self.tools));
        let duties: Vec<String> = duties.iter().map(|duty| format!("- {duty}")).collect();
        format!("{}\n\n# On every call\n{}\n", self.instructions.trim(), duties.join("\n"))
    }

    /// Returns the greeting with the disclosure line in it.
    pub fn opening(&self) -> Words {
        let words = &self.greeting.words;
        match (&self.disclosure, words) {
            (None, words) => words.clone(),
            (Some(line), Words::Exact(said)) if said.contains(line.as_str()) => words.clone(),
            (Some(line), Words::Exact(said)) => Words::Exact(format!("{line} {said}")),
            (Some(line), Words::Prompt(prompt)) => {
                Words::Prompt(format!("{}\nSay this line in it: \"{line}\"", prompt.trim()))
            }
        }
    }
}

fn tools(tools: &Tools) -> Vec<String> {
    let mut duties = vec![handover(tools).to_owned()];
    if tools.transfer.is_some() {
        duties.push(
            "You can have the caller connected to a person with `transfer_call`: say first, in one short sentence, that \
             you connect them, and use it in the same turn."
                .to_owned(),
        );
    }
    if tools.end_call {
        duties.push("When all is said, say goodbye, then use `end_call`. Never use it before.".to_owned());
    }
    if tools.send_whatsapp_message {
        duties.push(
            "Use `send_whatsapp_message` for what is hard to take down by ear, such as a link or an address; \
             say that you send it."
                .to_owned(),
        );
    }
    if !tools.http.is_empty() || !tools.mcp.is_empty() {
        duties.push(
            "What you need to look up or do, do with your tools; never make up what one would have said. If \
             one fails, say so plainly. While one is at work you may say that you are looking."
                .to_owned(),
        );
    }
    duties
}

/// Returns the duty on handing over to a person: the caller always has a way, and the agent never promises a call
/// that no one makes.
fn handover(tools: &Tools) -> &'static str {
    match (tools.take_message, tools.request_callback) {
        (true, true) => {
            "The caller must always have a way to a person: if they ask for one, are unhappy, or you cannot help, \
             offer to take a message (`take_message`) or to have somebody call back (`request_callback`)."
        }
        (true, false) => {
            "The caller must always have a way to a person: if they ask for one, are unhappy, or you cannot help, \
             offer to take a message (`take_message`). Do not promise a call."
        }
        (false, true) => {
            "The caller must always have a way to a person: if they ask for one, are unhappy, or you cannot help, \
             offer to have somebody call back (`request_callback`)."
        }
        (false, false) => {
            "If you cannot help, say so, and how a person can be reached if your instructions tell. Do not promise \
             that anybody will call."
        }
    }
}

#[cfg(test)]
#[path = "instructions_tests.rs"]
mod tests;
