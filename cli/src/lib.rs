//! The `ahoy` command: what an operator does with a deployment, from a terminal.
//!
//! One file a command, under `commands/`. A command says what it did with `say`, as text or as JSON, and gives back an exit code.

mod cloud;
mod commands;
mod fetched;
mod figures;
mod file;
mod linked_names;
mod meta;
mod output;
mod page;
mod person;
mod prompt;
mod search;
mod site;
mod stored_person;
mod table_scan;
mod whole_call;

use clap::{Args, Parser};
use commands::Command;
use std::ffi::OsString;
use std::process::ExitCode;

/// Answers WhatsApp calls with an AI voice agent, on your own AWS account.
#[derive(Debug, Parser)]
#[command(name = "ahoy", version, about)]
struct Ahoy {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command can be told.
#[derive(Debug, Args)]
struct Common {
    /// The deployment's stack, `ahoy` without it. What belongs to it is named after it, unless another name is given.
    #[arg(long, global = true, env = "AHOY_STACK", value_name = "STACK")]
    stack: Option<String>,
    /// The deployment's DynamoDB table. Without it, the one that is named after the stack.
    #[arg(long, global = true, env = "TABLE")]
    table: Option<String>,
    /// Say it in JSON.
    #[arg(long, global = true)]
    json: bool,
}

impl Common {
    /// The stack, if one is named: an empty variable names none.
    fn stack(&self) -> Option<&str> {
        given(self.stack.as_ref())
    }

    /// The table.
    fn table(&self) -> String {
        self.named(self.table.as_ref(), "")
    }

    /// What is given, else the stack's name and this.
    fn named(&self, name: Option<&String>, after_stack: &str) -> String {
        let of_stack = || format!("{}{after_stack}", self.stack().unwrap_or("ahoy"));
        given(name).map_or_else(of_stack, str::to_owned)
    }
}

/// An empty name is none.
fn given(name: Option<&String>) -> Option<&str> {
    name.map(String::as_str).filter(|name| !name.is_empty())
}

/// Does what a command line asks. Its exit code: 0 when it is done, 1 when it failed, 64 when it was not understood.
pub async fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let ahoy = match Ahoy::try_parse_from(arguments) {
        Ok(ahoy) => ahoy,
        Err(answer) => {
            // Help that was asked for comes this way as well.
            let _ = answer.print();
            return if answer.use_stderr() {
                ExitCode::from(service::WRONG_SETTINGS)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match ahoy.command.run(&ahoy.common).await {
        Ok(code) => code,
        Err(error) => {
            output::wrong(format!("ahoy: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, Command, CommandFactory};
    use std::path::Path;

    /// Scripts and habits of operators hold to them: lines of the file never change and never go.
    #[test]
    fn words_of_the_command_line_stay() {
        let mut words = vec![];
        add(&Ahoy::command(), "", &mut words);

        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/persisted/cli-words.txt");
        let held = std::fs::read_to_string(file).unwrap_or_default();

        let gone: Vec<_> = held.lines().filter(|line| !words.iter().any(|word| word == line)).collect();
        let new: Vec<_> = words.iter().filter(|word| !held.lines().any(|line| line == *word)).collect();
        assert!(gone.is_empty(), "these words of cli-words.txt are not understood any more: {gone:#?}");
        assert!(
            new.is_empty(),
            "cli-words.txt lacks\n{}",
            new.iter().fold(String::new(), |all, word| all + word + "\n")
        );
    }

    fn add(command: &Command, under: &str, words: &mut Vec<String>) {
        let path = format!("{under} {}", command.get_name()).trim_start().to_owned();
        words.push(path.clone());
        words.extend(command.get_all_aliases().map(|alias| format!("{path} is {alias}")));
        for argument in command.get_arguments() {
            words.extend(of_argument(argument).into_iter().map(|word| format!("{path} {word}")));
        }
        command.get_subcommands().for_each(|command| add(command, &path, words));
    }

    fn of_argument(argument: &Arg) -> Vec<String> {
        let long = argument.get_long().map(|long| format!("--{long}"));
        let short = argument.get_short().map(|short| format!("-{short}"));
        let place = argument.get_index().map(|place| format!("<{place}>"));
        let name = long.or(short.clone()).or(place).unwrap_or_else(|| "<…>".to_owned());
        let mut words = vec![name.clone()];
        words.extend(short.filter(|short| *short != name).map(|short| format!("{name} {short}")));
        words.extend(argument.get_env().map(|variable| format!("{name} ${}", variable.to_string_lossy())));
        if argument.get_action().takes_values() {
            let values = argument.get_possible_values().into_iter();
            words.extend(values.map(|value| format!("{name} {}", value.get_name())));
        }
        words
    }
}
