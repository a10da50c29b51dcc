//! The `ahoy` command line: sets up, checks and inspects a deployment from a terminal.
//!
//! Each command is one file under `commands/`. A command prints its result as text or as JSON, and returns an exit code.

mod agent_file;
mod call_details;
mod cloud;
mod commands;
mod deployment_args;
mod fetched;
mod figures;
mod linked_names;
mod meta;
mod output;
mod page;
mod person;
mod prompt;
mod search;
mod sip_line;
mod stored_person;
mod table_scan;

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

/// The options that every command takes.
#[derive(Debug, Args)]
struct Common {
    /// The deployment's CloudFormation stack [default: ahoy]. Table, secrets and functions are named after it unless you name them.
    #[arg(long, global = true, env = "AHOY_STACK", value_name = "STACK")]
    stack: Option<String>,
    /// The deployment's DynamoDB table [default: the stack's name].
    #[arg(long, global = true, env = "TABLE")]
    table: Option<String>,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

impl Common {
    /// Returns the stack's name if one is set; an empty variable counts as unset.
    fn stack(&self) -> Option<&str> {
        non_empty(self.stack.as_ref())
    }

    fn table(&self) -> String {
        self.name_or_default(self.table.as_ref(), "")
    }

    /// Returns `name` if it is set, else the stack's name followed by `suffix`.
    fn name_or_default(&self, name: Option<&String>, suffix: &str) -> String {
        let default = || format!("{}{suffix}", self.stack().unwrap_or("ahoy"));
        non_empty(name).map_or_else(default, str::to_owned)
    }
}

fn non_empty(name: Option<&String>) -> Option<&str> {
    name.map(String::as_str).filter(|name| !name.is_empty())
}

/// Runs a command line and returns its exit code: 0 on success, 1 on failure, 64 on wrong usage.
pub async fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let ahoy = match Ahoy::try_parse_from(arguments) {
        Ok(ahoy) => ahoy,
        Err(answer) => {
            // clap returns `--help` and `--version` as errors, too.
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
            output::error_line(format!("ahoy: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, Command, CommandFactory};
    use std::path::Path;

    /// Operators' scripts depend on these words: lines of the file are added, never changed or removed.
    #[test]
    fn the_command_lines_words_stay() {
        let mut words = vec![];
        add(&Ahoy::command(), "", &mut words);

        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/persisted/cli-words.txt");
        let held = std::fs::read_to_string(file).unwrap_or_default();

        let gone: Vec<_> = held.lines().filter(|line| !words.iter().any(|word| word == line)).collect();
        let new: Vec<_> = words.iter().filter(|word| !held.lines().any(|line| line == *word)).collect();
        assert!(gone.is_empty(), "these words of cli-words.txt are no longer accepted: {gone:#?}");
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
