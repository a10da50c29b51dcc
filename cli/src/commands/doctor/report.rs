//! What the doctor found, as text and as JSON.

use super::check::{Check, Finding};
use crate::meta::Change;
use crate::say::{self, BAD, GOOD, UNSURE, styled};
use serde::Serialize;

/// One check, and what came of it.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Which.
    pub check: Check,
    /// What came of it.
    pub finding: Finding,
}

/// All that was found.
#[derive(Debug, Clone)]
pub struct Report {
    /// In the order a call meets them.
    pub checked: Vec<Checked>,
}

/// As told in JSON.
#[derive(Debug, Serialize)]
struct Told<'a> {
    healthy: bool,
    fixed: &'a [String],
    checks: Vec<Line<'a>>,
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    name: &'static str,
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

    /// In JSON.
    pub fn say_json(&self, fixed: &[String]) {
        let checks = self.checked.iter().map(Checked::line).collect();
        say::json(&Told { healthy: self.is_healthy(), fixed, checks });
    }

    /// As text.
    pub fn say(&self) {
        self.checked.iter().for_each(Checked::say);
        let count = |is: fn(&Finding) -> bool| self.checked.iter().filter(|it| is(&it.finding)).count();
        let wrong = count(|it| matches!(it, Finding::Wrong(_)));
        let unknown = count(|it| matches!(it, Finding::Unknown(_)));
        let fine = self.checked.len() - wrong - unknown;
        let fixable = self.fixes().len();
        let fix = if fixable > 0 { "; ahoy doctor --fix can do something about it" } else { "" };
        say::line(format!("{fine} fine, {wrong} wrong, {unknown} unknown{fix}"));
    }
}

impl Checked {
    fn line(&self) -> Line<'_> {
        let name = self.check.name();
        let line = |finding, says| Line { name, finding, says, code: None, cure: None, fixable: false };
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
        say::line(format!("{mark}  {name:<21} {says}{code}"));
        if let Some(cure) = cure {
            say::line(format!("         {:<21} {cure}", "cure:"));
        }
    }
}
