//! `ahoy doctor [--fix]`: checks everything that a first call needs, and says what is wrong and how to fix it.

mod check;
mod facts;
mod judge;
mod report;

use crate::Common;
use crate::deployment_args::DeploymentArgs;
use crate::meta::{Change, MetaClient};
use crate::output;
use crate::prompt::{Spinner, confirm};
use call::NumberId;
use check::Check;
use clap::Args;
use facts::Facts;
pub(crate) use facts::{meta_of, named_parts};
use report::{Checked, Report};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(crate) struct DoctorCommand {
    #[command(flatten)]
    args: DeploymentArgs,
    /// Fix what can be fixed at Meta, asking before each change.
    #[arg(long)]
    fix: bool,
    /// Make every change without asking.
    #[arg(long, requires = "fix")]
    yes: bool,
}

impl DoctorCommand {
    /// Runs the command. The exit code is 1 if a check found something wrong.
    pub(crate) async fn run(&self, common: &Common) -> ExitCode {
        let (first, others, mut fixed) = self.examine(&self.args, common).await;
        let mut reports = vec![first];
        for number in others {
            let args = DeploymentArgs { number: Some(number), ..self.args.clone() };
            let (report, _, more) = self.examine(&args, common).await;
            reports.push(report.per_number_only());
            fixed.extend(more);
        }
        print(&reports, &fixed, common)
    }

    /// Runs all checks for one number. Returns the report, the deployment's other numbers, and the changes made.
    async fn examine(&self, args: &DeploymentArgs, common: &Common) -> (Report, Vec<NumberId>, Vec<String>) {
        let (meta, facts) = gather(args, common).await;
        let report = check_all(&facts);
        let fixes = if self.fix { report.fixes() } else { vec![] };
        if fixes.is_empty() {
            return (report, facts.others, vec![]);
        }
        let fixed = self.apply(&fixes, &meta, &facts).await;
        let (_, facts) = gather(args, common).await;
        (check_all(&facts), facts.others, fixed)
    }

    /// Asks for and applies each change; returns those that were made.
    async fn apply(&self, fixes: &[Change], meta: &MetaClient, facts: &Facts) -> Vec<String> {
        let mut made = vec![];
        for fix in fixes {
            let (what, before, after) = (fix.what(), fix.before(), fix.after());
            if !self.yes && !confirm(&format!("Change {what} from {before} to {after}?")) {
                output::error_line(format!("Not changed: {what}. Answer yes, or use --yes."));
                continue;
            }
            match meta.apply(fix, &facts.meta).await {
                Ok(()) => made.push(format!("{what}: {before} is now {after}")),
                Err(error) => output::error_line(format!("Not changed: {what}: {error}")),
            }
        }
        made
    }
}

async fn gather(args: &DeploymentArgs, common: &Common) -> (MetaClient, Facts) {
    let _spinner = Spinner::start("Checking Meta, AWS, the webhook and OpenAI");
    facts::gather(args, common).await
}

fn print(reports: &[Report], fixed: &[String], common: &Common) -> ExitCode {
    if common.json {
        report::print_json(reports, fixed);
    } else {
        fixed.iter().for_each(|fixed| output::line(format!("Changed {fixed}")));
        report::print(reports);
    }
    if reports.iter().all(Report::is_healthy) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn check_all(facts: &Facts) -> Report {
    let made = Check::ALL.iter().filter(|check| judge::is_made(**check, facts));
    let checked = made.map(|check| Checked { check: *check, finding: judge::judge(*check, facts) });
    Report { number: facts.number.as_ref().ok().cloned(), checked: checked.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_docs_list_every_check_with_meaning_and_cure() {
        let docs = include_str!("../../../docs/doctor.md");
        let rows: Vec<_> =
            docs.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |")).collect();

        let named: Vec<_> = rows.iter().map(|(name, _)| *name).collect();
        assert_eq!(named, Check::ALL.iter().map(|check| check.name()).collect::<Vec<_>>());
        for (name, rest) in rows {
            let cells: Vec<_> = rest.split('|').map(str::trim).filter(|cell| !cell.is_empty()).collect();
            assert_eq!(cells.len(), 2, "{name} has a meaning and a cure");
        }
    }
}
