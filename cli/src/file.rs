//! An agent file on this machine.

use agents::{Agent, LARGEST};
use realtime::{Prices, Usage};
use std::fmt;
use std::path::{Path, PathBuf};

/// An agent file that is right.
#[derive(Debug)]
pub struct AgentFile {
    /// What it says.
    pub agent: Agent,
    /// Its text.
    pub text: String,
}

/// What is wrong with a file, in one line that names it.
#[derive(Debug)]
pub struct WrongFile {
    path: PathBuf,
    /// Line and field, where it could be read that far.
    pub place: Option<(usize, String)>,
    /// Why.
    pub reason: String,
}

impl AgentFile {
    /// Reads and checks it.
    pub fn read(path: &Path) -> Result<Self, WrongFile> {
        let wrong = |place, reason| WrongFile { path: path.to_owned(), place, reason };
        let bytes = std::fs::read(path).map_err(|error| wrong(None, plainly(&error)))?;
        if bytes.len() > LARGEST {
            let reason =
                format!("an agent file has at most {LARGEST} bytes, and this one has {}", bytes.len());
            return Err(wrong(None, reason));
        }
        let text = String::from_utf8(bytes).map_err(|_| wrong(None, "it is not UTF-8 text".to_owned()))?;
        match Agent::read_new(&text) {
            Ok(agent) => Ok(Self { agent, text }),
            Err(error) => Err(wrong(Some((error.line, error.field)), error.reason)),
        }
    }

    /// What is right and yet not what its author will have meant, each in one line.
    pub fn doubts(&self) -> Vec<String> {
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
                format!("caps.dollars_a_day limits nothing: {model} has no price in the table of {date}")
            }
            false => format!("what calls cost is not known: {model} has no price in the table of {date}"),
        };
        let transcriber_doubt = |model: &String| {
            let counted = if is_capped { "in caps.dollars_a_day" } else { "in what calls cost" };
            format!("the transcriber is not counted {counted}: {model} has no price in the table of {date}")
        };
        let unpriced = unpriced.map(doubt).into_iter();
        unpriced.chain(unpriced_transcriber.map(transcriber_doubt)).collect()
    }
}

impl fmt::Display for WrongFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path.display())?;
        if let Some((line, field)) = &self.place {
            write!(f, "line {line}, {field}: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for WrongFile {}

/// Without the number that the operating system has for it.
fn plainly(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
