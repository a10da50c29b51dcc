//! Reads an agent file: its size, its secrets, its keys, and the rules for new files.

use crate::file_format::AgentFileToml;
use crate::key_positions::KeyPositions;
use crate::{Agent, AgentFileError, LARGEST, push_rules, secrets};

impl Agent {
    /// Parses and validates an agent file.
    ///
    /// # Errors
    /// Returns the first error, with its line and field.
    pub fn read(text: &str) -> Result<Self, AgentFileError> {
        if text.len() > LARGEST {
            return Err(AgentFileError::whole_file(format!("is larger than {LARGEST} bytes")));
        }
        let positions = KeyPositions::of(text);
        secrets::refuse(text, &positions)?;
        let written = AgentFileToml::read(text, &positions)?;
        written.resolve().map_err(|fault| positions.locate(fault))
    }

    /// Parses an agent file that is about to be pushed, which must also follow the rules added since older files were
    /// pushed. Programs that run use [`Agent::read`].
    ///
    /// # Errors
    /// Returns the first error, with its line and field.
    pub fn read_new(text: &str) -> Result<Self, AgentFileError> {
        let agent = Self::read(text)?;
        push_rules::check(&agent).map_err(|fault| KeyPositions::of(text).locate(fault))?;
        Ok(agent)
    }

    /// Returns the default agent, for numbers without an agent file.
    pub fn built_in() -> Self {
        Self::read(include_str!("../built-in.toml")).expect("a test reads it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_agent_parses() {
        assert_eq!(Agent::built_in().name, "built-in");
    }
}
