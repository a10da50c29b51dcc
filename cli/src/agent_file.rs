//! Reads and checks an agent file on this machine.

use agents::{After, Agent, LARGEST, Lookup};
use realtime::{Prices, Usage};
use reqwest::Url;
use std::fmt;
use std::path::{Path, PathBuf};

/// An agent file that passed all checks.
#[derive(Debug)]
pub(crate) struct AgentFile {
    pub(crate) agent: Agent,
    /// The file's text, as it is stored.
    pub(crate) text: String,
}

/// Why an agent file was refused; displays as one line with path, line and field.
#[derive(Debug)]
pub(crate) struct AgentFileError {
    path: PathBuf,
    /// Line and field of the error; `None` when the file could not be parsed that far.
    pub(crate) place: Option<(usize, String)>,
    pub(crate) reason: String,
}

impl AgentFile {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// When the file cannot be read, is too large, is not UTF-8, or breaks a rule of agent files.
    pub(crate) fn read(path: &Path) -> Result<Self, AgentFileError> {
        let wrong = |place, reason| AgentFileError { path: path.to_owned(), place, reason };
        let bytes = std::fs::read(path).map_err(|error| wrong(None, without_os_code(&error)))?;
        if bytes.len() > LARGEST {
            let reason = format!("the file has {} bytes, the limit is {LARGEST}", bytes.len());
            return Err(wrong(None, reason));
        }
        let text =
            String::from_utf8(bytes).map_err(|_| wrong(None, "the file is not UTF-8 text".to_owned()))?;
        match Agent::read_new(&text) {
            Ok(agent) => Ok(Self { agent, text }),
            Err(error) => Err(wrong(Some((error.line, error.field)), error.reason)),
        }
    }

    /// Returns what holds for some of the agent's calls alone, and which systems learn of them, one line each.
    pub(crate) fn notes(&self) -> Vec<String> {
        let agent = &self.agent;
        let transfer = "transfers calls by telephone; on WhatsApp it is not offered the tool";
        let transfer = agent.tools.transfer.iter().map(|_| transfer.to_owned());
        let lookup = agent.lookup.iter().map(|lookup| lookup_note(lookup, agent.waits_for_lookup()));
        let told = agent.tools.http.iter().filter(|tool| tool.tells_caller);
        let told = told.map(|tool| format!("tells {} who calls, by the tool {}", host(&tool.url), tool.name));
        transfer.chain(lookup).chain(told).chain(agent.after.iter().map(after_note)).collect()
    }

    /// Returns what is valid but probably not intended, one line each: a model without a price, or half of a transcript.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let (prices, model) = (Prices::built_in(), &self.agent.model);
        let is_unpriced = |model: &&String| prices.dollars(&Usage::default(), model).is_none();
        let is_unpriced_transcriber =
            |model: &&String| prices.transcript_dollars(&Usage::default(), model).is_none();
        let unpriced = model.name.as_ref().filter(is_unpriced);
        let transcriber = model.transcription.as_ref().map(|transcription| &transcription.model);
        let unpriced_transcriber = transcriber.filter(is_unpriced_transcriber);
        let (is_capped, date) = (self.agent.caps.dollars_a_day.is_some(), &prices.date);
        let doubt = |model: &String| match is_capped {
            true => {
                format!(
                    "caps.dollars_a_day limits nothing: {model} has no price in the price table of {date}"
                )
            }
            false => {
                format!("the cost of calls is unknown: {model} has no price in the price table of {date}")
            }
        };
        let not_counted = |what: &str, model: &String| {
            let counted = if is_capped { "in caps.dollars_a_day" } else { "in the cost of calls" };
            format!("{what} is not counted {counted}: {model} has no price in the price table of {date}")
        };
        let extract = self.agent.after.as_ref().and_then(|after| after.extract.as_ref());
        let reader = extract.map(|extract| &extract.model);
        let unpriced_reader = reader.filter(|model| prices.text_dollars(0, 0, 0, model).is_none());
        unpriced
            .map(doubt)
            .into_iter()
            .chain(unpriced_transcriber.map(|model| not_counted("transcription", model)))
            .chain(unpriced_reader.map(|model| not_counted("after.extract", model)))
            .chain(self.half_transcript())
            .collect()
    }
}

impl AgentFile {
    /// Returns a warning where what the caller says is delivered or read, but not transcribed.
    fn half_transcript(&self) -> Option<String> {
        let after = self.agent.after.as_ref().filter(|_| self.agent.model.transcription.is_none())?;
        let key = match (after.transcript, &after.extract) {
            (true, _) => "after.transcript",
            (false, Some(_)) => "after.extract",
            (false, None) => return None,
        };
        Some(format!("{key} has only the agent's words: model.transcription is off"))
    }
}

fn lookup_note(lookup: &Lookup, waits: bool) -> String {
    let (host, ms) = (host(&lookup.url), lookup.timeout.as_millis());
    match waits {
        true => format!("asks {host} who calls; calls wait for the answer, at most {ms} ms"),
        false => format!("asks {host} who calls; no call waits for it"),
    }
}

fn after_note(after: &After) -> String {
    let events: Vec<&str> = after.on.iter().map(|event| event.as_str()).collect();
    let with: Vec<&str> = [
        (after.tells_caller, "the caller"),
        (after.transcript, "the transcript"),
        (after.extract.is_some(), "what a model extracts from it"),
    ]
    .into_iter()
    .filter_map(|(is_on, what)| is_on.then_some(what))
    .collect();
    let with = if with.is_empty() { String::new() } else { format!(", with {}", with.join(" and ")) };
    format!("delivers {} to {}{with}", events.join(", "), host(&after.url))
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

impl fmt::Display for AgentFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path.display())?;
        if let Some((line, field)) = &self.place {
            write!(f, "line {line}, {field}: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for AgentFileError {}

/// Formats an I/O error without the operating system's error number.
fn without_os_code(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
