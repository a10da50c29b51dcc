//! Rules for files that are yet to be pushed. They came after files were pushed that break them, so programs that run do
//! not hold files to them, and leave out what is refused.

use crate::Agent;
use crate::error::Fault;

/// What OpenAI refuses at the top level of a function's schema, with the whole session.
pub const NOT_AT_THE_TOP: [&str; 5] = ["oneOf", "anyOf", "allOf", "enum", "not"];

/// Holds an agent to them.
pub(crate) fn check(agent: &Agent) -> Result<(), Fault> {
    let unfit =
        |unfit: realtime::options::OptionError| Fault::new(format!("model.{}", unfit.field), unfit.reason);
    agent.model.check_new().map_err(unfit)?;
    for (at, tool) in agent.tools.http.iter().enumerate() {
        if let Some(key) = NOT_AT_THE_TOP.iter().find(|key| tool.parameters.get(**key).is_some()) {
            let reason = format!(
                "has {key} at its top level, where OpenAI refuses it: put it into a property, or say it in the description"
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
    fn what_was_pushed_before_can_be_read_and_not_pushed_again() {
        let keywords =
            "name = 'a'\ninstructions = 'b'\ngreeting.say = 'c'\n[model.transcription]\nkeywords = ['<b>']\n";
        for (file, wrong) in [
            (ANY_OF, "line 12, tools.http[0].parameters: has anyOf at its top level"),
            (keywords, "line 5, model.transcription.keywords: must each be one line"),
        ] {
            assert!(Agent::read(file).is_ok());

            let told = Agent::read_new(file).unwrap_err().to_string();

            assert!(told.starts_with(wrong), "{told}");
        }
    }
}
