//! Prints the doctor's findings, as text or as JSON.

use super::check::{Check, Finding};
use crate::meta::Change;
use crate::output::{self, BAD, GOOD, UNSURE, styled};
use call::NumberId;
use serde::Serialize;

/// A check with its finding.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub(crate) check: Check,
    pub(crate) finding: Finding,
}

/// The findings for one number.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    /// Meta's id of the number; `None` if it could not be determined.
    pub(crate) number: Option<NumberId>,
    /// In the order in which a call depends on them.
    pub(crate) checked: Vec<Checked>,
}

/// The JSON output.
#[derive(Debug, Serialize)]
struct JsonReport<'a> {
    healthy: bool,
    numbers: Vec<&'a NumberId>,
    fixed: &'a [String],
    checks: Vec<Line<'a>>,
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    name: &'static str,
    /// Only set when several numbers are checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<&'a NumberId>,
    finding: &'static str,
    says: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cure: Option<&'a str>,
    fixable: bool,
}

impl Report {
    /// Whether no check is wrong; a warning is not wrong, and neither is unknown.
    pub(crate) fn is_healthy(&self) -> bool {
        !self.checked.iter().any(|it| matches!(it.finding, Finding::Wrong(_)))
    }

    /// Returns the changes that `--fix` would make, each once, in the order in which Meta accepts them.
    pub(crate) fn fixes(&self) -> Vec<Change> {
        let mut fixes: Vec<Change> = vec![];
        for checked in &self.checked {
            if let Finding::Wrong(wrong) = &checked.finding {
                fixes.extend(wrong.fix.clone().filter(|fix| !fixes.contains(fix)));
            }
        }
        fixes.sort_by_key(Change::rank);
        fixes
    }

    /// Keeps only the checks that differ by number; the others are in the first number's report.
    pub(crate) fn per_number_only(self) -> Self {
        let checked = self.checked.into_iter().filter(|it| it.check.is_per_number());
        Self { checked: checked.collect(), ..self }
    }
}

/// Prints all numbers' findings as JSON.
pub(crate) fn print_json(reports: &[Report], fixed: &[String]) {
    let numbers = reports.iter().filter_map(|report| report.number.as_ref()).collect();
    let has_several = reports.len() > 1;
    let checks = reports.iter().flat_map(|report| {
        let number = report.number.as_ref().filter(|_| has_several);
        report
            .checked
            .iter()
            .map(move |it| Line { number: number.filter(|_| it.check.is_per_number()), ..it.line() })
    });
    output::json(&JsonReport {
        healthy: reports.iter().all(Report::is_healthy),
        numbers,
        fixed,
        checks: checks.collect(),
    });
}

/// Prints all numbers' findings as text; a single number's without a heading.
pub(crate) fn print(reports: &[Report]) {
    for (n, report) in reports.iter().enumerate() {
        if let (true, Some(number)) = (reports.len() > 1, &report.number) {
            let shared = if n == 0 { ", and checks shared by all numbers" } else { "" };
            output::line(format!("number {number}{shared}"));
        }
        report.checked.iter().for_each(Checked::print);
    }
    let all = || reports.iter().flat_map(|report| &report.checked);
    let count = |is: fn(&Finding) -> bool| all().filter(|it| is(&it.finding)).count();
    let wrong = count(|it| matches!(it, Finding::Wrong(_)));
    let unknown = count(|it| matches!(it, Finding::Unknown(_)));
    let warnings = count(|it| matches!(it, Finding::Warning { .. }));
    let fine = all().count() - wrong - unknown - warnings;
    let warned = match warnings {
        0 => String::new(),
        1 => ", 1 warning".to_owned(),
        several => format!(", {several} warnings"),
    };
    let is_fixable = reports.iter().any(|report| !report.fixes().is_empty());
    let fix = if is_fixable { "; ahoy doctor --fix can fix some of it" } else { "" };
    let of = if reports.len() > 1 {
        format!(" on {} numbers (--number checks one)", reports.len())
    } else {
        String::new()
    };
    output::line(format!("{fine} fine, {wrong} wrong, {unknown} unknown{warned}{of}{fix}"));
}

impl Checked {
    fn line(&self) -> Line<'_> {
        let name = self.check.name();
        let line = |finding, says| Line {
            name,
            number: None,
            finding,
            says,
            code: None,
            cure: None,
            fixable: false,
        };
        match &self.finding {
            Finding::Fine(says) => line("fine", says),
            Finding::Unknown(why) => line("unknown", why),
            Finding::Warning { says, cure } => Line { cure: Some(cure), ..line("warning", says) },
            Finding::Wrong(wrong) => Line {
                code: (wrong.code > 0).then_some(wrong.code),
                cure: Some(&wrong.cure),
                fixable: wrong.fix.is_some(),
                ..line("wrong", &wrong.says)
            },
        }
    }

    fn print(&self) {
        let Line { name, says, code, cure, .. } = self.line();
        let mark = match &self.finding {
            Finding::Fine(_) => styled(GOOD, "ok     "),
            Finding::Wrong(_) => styled(BAD, "wrong  "),
            Finding::Warning { .. } => styled(UNSURE, "warning"),
            Finding::Unknown(_) => styled(UNSURE, "unknown"),
        };
        let code = code.map(|code| format!(" (code {code})")).unwrap_or_default();
        output::line(format!("{mark}  {name:<21} {says}{code}"));
        if let Some(cure) = cure {
            output::line(format!("         {:<21} {cure}", "cure:"));
        }
    }
}
