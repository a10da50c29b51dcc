//! `ahoy doctor [--fix]`: looks at everything between a user and a first call, and says what is wrong and what cures it.

mod check;
mod facts;
mod judge;
mod report;

use crate::Common;
use crate::meta::{Change, MetaClient};
use crate::output;
use crate::prompt::{Busy, consent};
use crate::site::Site;
use check::Check;
use clap::Args;
use facts::Facts;
pub use facts::meta_of;
use report::{Checked, Report};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct DoctorCommand {
    #[command(flatten)]
    site: Site,
    /// Do what can be done about what is wrong, asking before each thing.
    #[arg(long)]
    fix: bool,
    /// Do not ask.
    #[arg(long, requires = "fix")]
    yes: bool,
}

impl DoctorCommand {
    /// Does it. 0 when nothing is wrong, 1 when something is.
    pub async fn run(&self, common: &Common) -> ExitCode {
        let (first, others, mut fixed) = self.examine(&self.site, common).await;
        let mut reports = vec![first];
        for number in others {
            let site = Site { number: Some(number), ..self.site.clone() };
            let (report, _, more) = self.examine(&site, common).await;
            reports.push(report.of_number_only());
            fixed.extend(more);
        }
        tell(&reports, &fixed, common)
    }

    /// Examines one number, with all that is no number's: what was found, the other numbers there are, and what was changed.
    async fn examine(&self, site: &Site, common: &Common) -> (Report, Vec<String>, Vec<String>) {
        let (meta, facts) = look(site, common).await;
        let report = judged(&facts);
        let fixes = if self.fix { report.fixes() } else { vec![] };
        if fixes.is_empty() {
            return (report, facts.others, vec![]);
        }
        let fixed = self.make(&fixes, &meta, &facts).await;
        let (_, facts) = look(site, common).await;
        (judged(&facts), facts.others, fixed)
    }

    /// Makes changes; which were made.
    async fn make(&self, fixes: &[Change], meta: &MetaClient, facts: &Facts) -> Vec<String> {
        let mut made = vec![];
        for fix in fixes {
            let (what, before, after) = (fix.what(), fix.before(), fix.after());
            if !self.yes && !consent(&format!("Change {what} from {before} to {after}?")) {
                output::wrong(format!("Left alone: {what}. Say yes, or --yes."));
                continue;
            }
            match meta.make(fix, &facts.meta).await {
                Ok(()) => made.push(format!("{what}: {before} is now {after}")),
                Err(unseen) => output::wrong(format!("Not changed: {what}: {unseen}")),
            }
        }
        made
    }
}

async fn look(site: &Site, common: &Common) -> (MetaClient, Facts) {
    let _busy = Busy::with("Looking at Meta, AWS, the webhook and OpenAI");
    facts::gather(site, common).await
}

fn tell(reports: &[Report], fixed: &[String], common: &Common) -> ExitCode {
    if common.json {
        report::say_json(reports, fixed);
    } else {
        fixed.iter().for_each(|fixed| output::line(format!("Changed {fixed}")));
        report::say(reports);
    }
    if reports.iter().all(Report::is_healthy) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn judged(facts: &Facts) -> Report {
    let checked =
        Check::ALL.iter().map(|check| Checked { check: *check, finding: judge::judge(*check, facts) });
    Report { number: facts.number.as_ref().ok().cloned(), checked: checked.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_docs_say_what_each_check_means_and_what_cures_it() {
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
