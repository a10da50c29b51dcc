//! Rules for agent files that are about to be pushed. Files pushed before a rule was added may break it, so running
//! programs do not apply these rules, but leave out what OpenAI refuses.

use crate::error::Fault;
use crate::{Agent, placeholders};

/// Keys that OpenAI refuses at the top level of a function's JSON Schema, with the whole session.
pub const NOT_AT_THE_TOP: [&str; 5] = ["oneOf", "anyOf", "allOf", "enum", "not"];

pub(crate) fn check(agent: &Agent) -> Result<(), Fault> {
    let invalid = |invalid: realtime::options::OptionError| {
        Fault::new(format!("model.{}", invalid.field), invalid.reason)
    };
    agent.model.check_new().map_err(invalid)?;
    for text in agent.texts() {
        placeholders::check(text.field, text.text, text.is_exact, |name| agent.can_fill(name))?;
    }
    for (at, tool) in agent.tools.http.iter().enumerate() {
        if let Some(key) = NOT_AT_THE_TOP.iter().find(|key| tool.parameters.get(**key).is_some()) {
            let reason = format!(
                "has {key} at its top level, which OpenAI refuses: move it into a property, or put it in the description"
            );
            return Err(Fault::new(format!("tools.http[{at}].parameters"), reason));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::Agent;

    const ANY_OF: &str = include_str!("../../../fixtures/field-cases/agents/anyof.toml");

    #[test]
    fn a_file_pushed_earlier_parses_but_cannot_be_pushed_again() {
        let keywords =
            "name = 'a'\ninstructions = 'b'\ngreeting.say = 'c'\n[model.transcription]\nkeywords = ['<b>']\n";
        for (file, wrong) in [
            (ANY_OF, "line 12, tools.http[0].parameters: has anyOf at its top level"),
            (
                "name = 'a'\ninstructions = 'x {{ y'\ngreeting.say = 'c'\n",
                "line 2, instructions: has {{ without",
            ),
            (
                "name = 'a'\ninstructions = 'b'\ngreeting.say = '{{c}}'\n",
                "line 3, greeting.say: has {{c}}, which",
            ),
            (keywords, "line 5, model.transcription.keywords: must each be one line"),
        ] {
            assert!(Agent::read(file).is_ok());

            let told = Agent::read_new(file).unwrap_err().to_string();

            assert!(told.starts_with(wrong), "{told}");
        }
    }
}
