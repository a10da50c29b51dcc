//! What the doctor found, as text and as JSON.

use super::check::{Check, Finding};
use crate::meta::Change;
use crate::output::{self, BAD, GOOD, UNSURE, styled};
use serde::Serialize;

/// One check, and what came of it.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Which.
    pub check: Check,
    /// What came of it.
    pub finding: Finding,
}

/// All that was found of a number.
#[derive(Debug, Clone)]
pub struct Report {
    /// Which, if anybody knows.
    pub number: Option<String>,
    /// In the order a call meets them.
    pub checked: Vec<Checked>,
}

/// As told in JSON.
#[derive(Debug, Serialize)]
struct Told<'a> {
    healthy: bool,
    numbers: Vec<&'a str>,
    fixed: &'a [String],
    checks: Vec<Line<'a>>,
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    name: &'static str,
    /// Only where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<&'a str>,
    finding: &'static str,
    says: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cure: Option<&'a str>,
    fixable: bool,
}

impl Report {
    /// Whether nothing is wrong. What is unknown is not wrong.
    pub fn is_healthy(&self) -> bool {
        !self.checked.iter().any(|it| matches!(it.finding, Finding::Wrong(_)))
    }

    /// What can be done about what is wrong, each thing once, in the order it must be done.
    pub fn fixes(&self) -> Vec<Change> {
        let mut fixes: Vec<Change> = vec![];
        for checked in &self.checked {
            if let Finding::Wrong(wrong) = &checked.finding {
                fixes.extend(wrong.fix.clone().filter(|fix| !fixes.contains(fix)));
            }
        }
        fixes.sort_by_key(Change::rank);
        fixes
    }

    /// The same without what is no number's, and was said of another number already.
    pub fn of_number_only(self) -> Self {
        let checked = self.checked.into_iter().filter(|it| it.check.is_of_a_number());
        Self { checked: checked.collect(), ..self }
    }
}

/// All numbers in JSON.
pub fn say_json(reports: &[Report], fixed: &[String]) {
    let numbers = reports.iter().filter_map(|report| report.number.as_deref()).collect();
    let is_said = reports.len() > 1;
    let checks = reports.iter().flat_map(|report| {
        let number = report.number.as_deref().filter(|_| is_said);
        report
            .checked
            .iter()
            .map(move |it| Line { number: number.filter(|_| it.check.is_of_a_number()), ..it.line() })
    });
    output::json(&Told {
        healthy: reports.iter().all(Report::is_healthy),
        numbers,
        fixed,
        checks: checks.collect(),
    });
}

/// All numbers as text. Of one alone it is not said which.
pub fn say(reports: &[Report]) {
    for (n, report) in reports.iter().enumerate() {
        if let (true, Some(number)) = (reports.len() > 1, &report.number) {
            let also = if n == 0 { ", and what is no number's" } else { "" };
            output::line(format!("number {number}{also}"));
        }
        report.checked.iter().for_each(Checked::say);
    }
    let all = || reports.iter().flat_map(|report| &report.checked);
    let count = |is: fn(&Finding) -> bool| all().filter(|it| is(&it.finding)).count();
    let wrong = count(|it| matches!(it, Finding::Wrong(_)));
    let unknown = count(|it| matches!(it, Finding::Unknown(_)));
    let fine = all().count() - wrong - unknown;
    let is_fixable = reports.iter().any(|report| !report.fixes().is_empty());
    let fix = if is_fixable { "; ahoy doctor --fix can do something about it" } else { "" };
    let of = if reports.len() > 1 {
        format!(" on {} numbers (--number looks at one)", reports.len())
    } else {
        String::new()
    };
    output::line(format!("{fine} fine, {wrong} wrong, {unknown} unknown{of}{fix}"));
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
            Finding::Wrong(wrong) => Line {
                code: (wrong.code > 0).then_some(wrong.code),
                cure: Some(&wrong.cure),
                fixable: wrong.fix.is_some(),
                ..line("wrong", &wrong.says)
            },
        }
    }

    fn say(&self) {
        let Line { name, says, code, cure, .. } = self.line();
        let mark = match &self.finding {
            Finding::Fine(_) => styled(GOOD, "ok     "),
            Finding::Wrong(_) => styled(BAD, "wrong  "),
            Finding::Unknown(_) => styled(UNSURE, "unknown"),
        };
        let code = code.map(|code| format!(" (code {code})")).unwrap_or_default();
        output::line(format!("{mark}  {name:<21} {says}{code}"));
        if let Some(cure) = cure {
            output::line(format!("         {:<21} {cure}", "cure:"));
        }
    }
}
