//! Every alarm of the template has its line in `docs/operate.md`: what it means, and what to do. No line is about another.

use crate::template::Template;
use local::root;
use serde_yaml_ng::Value;
use std::collections::BTreeSet;

/// Where the lines are.
const HEADING: &str = "\n## Alarms\n";

/// Before the name of every alarm.
const STACK: &str = "${AWS::StackName}-";

#[test]
fn every_alarm_has_exactly_one_line_in_the_runbook() {
    let (template, runbook) = (Template::read(), runbook());
    assert_eq!(faults(&template, &runbook), [""; 0]);

    let mut renamed = template.clone();
    let name = &mut renamed.properties_mut("LostCallsAlarm")["AlarmName"];
    let Value::Tagged(tagged) = name else { panic!("the name is a !Sub") };
    tagged.value = "${AWS::StackName}-calls-lost".into();
    let renamed = faults(&renamed, &runbook);
    assert_eq!(renamed, ["calls-lost has no line", "there is no alarm lost-calls"]);

    let lines: Vec<_> = runbook.lines().filter(|line| line.starts_with("| `")).collect();
    for line in &lines {
        let without = runbook.replace(line, "");
        assert_eq!(faults(&template, &without).len(), 1, "{line}");
        let (beginning, _) = line.trim_end_matches(" |").rsplit_once('|').expect("a line has cells");
        let silent = runbook.replace(line, &format!("{beginning}| |"));
        assert!(faults(&template, &silent)[0].ends_with("does not say what it means and what to do"));
        assert!(faults(&template, &format!("{runbook}{line}\n"))[0].ends_with("has more than one line"));
    }
    assert!(!lines.is_empty(), "there are lines");
}

#[test]
fn an_alarm_that_adds_metrics_counts_a_missing_one_as_nothing() {
    let mut template = Template::read();
    assert_eq!(unfilled(&template), [""; 0]);

    template.properties_mut("ThrottledAlarm")["Metrics"][0]["Expression"] =
        "FILL(webhook, 0) + orders".into();
    assert_eq!(unfilled(&template), ["ThrottledAlarm: orders"]);
}

#[test]
fn slow_answers_of_few_callers_are_noticed() {
    let template = Template::read();
    let number = |name: &str| template.properties("SlowAnswersAlarm")[name].as_u64();

    // With so few of so many periods missing ones do not begin the count anew.
    assert_eq!((number("DatapointsToAlarm"), number("EvaluationPeriods")), (Some(3), Some(15)));
}

/// The metrics that an alarm's expression takes as they come: one that is missing would make all of it missing.
fn unfilled(template: &Template) -> Vec<String> {
    let alarms = template.of_type("AWS::CloudWatch::Alarm");
    let mut unfilled = vec![];
    for (id, alarm) in alarms {
        let metrics = alarm["Metrics"].as_sequence().map(Vec::as_slice).unwrap_or_default();
        let text = |metric: &Value, key: &str| metric[key].as_str().unwrap_or_default().to_owned();
        let expressions: String = metrics.iter().map(|metric| text(metric, "Expression")).collect();
        let read =
            metrics.iter().filter(|metric| !metric["MetricStat"].is_null()).map(|metric| text(metric, "Id"));
        let bare = read.filter(|metric| !expressions.contains(&format!("FILL({metric}, 0)")));
        unfilled.extend(bare.map(|metric| format!("{id}: {metric}")));
    }
    unfilled
}

/// What is wrong, each once.
fn faults(template: &Template, runbook: &str) -> Vec<String> {
    let alarms: BTreeSet<String> =
        template.of_type("AWS::CloudWatch::Alarm").into_values().map(name).collect();
    let lines: Vec<Line<'_>> = runbook.lines().filter_map(Line::read).collect();
    let told: BTreeSet<String> = lines.iter().map(|line| line.alarm.to_owned()).collect();
    let silent = lines.iter().filter(|line| line.says.len() != 2);
    let twice =
        lines.iter().enumerate().filter(|(n, line)| lines[..*n].iter().any(|it| it.alarm == line.alarm));
    let missing = alarms.difference(&told).map(|alarm| format!("{alarm} has no line"));
    missing
        .chain(told.difference(&alarms).map(|line| format!("there is no alarm {line}")))
        .chain(silent.map(|line| format!("{} does not say what it means and what to do", line.alarm)))
        .chain(twice.map(|(_, line)| format!("{} has more than one line", line.alarm)))
        .collect()
}

/// A line of the runbook.
struct Line<'a> {
    alarm: &'a str,
    says: Vec<&'a str>,
}

impl<'a> Line<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let (alarm, says) = line.strip_prefix("| `")?.split_once("` |")?;
        let says = says.split('|').map(str::trim).filter(|cell| !cell.is_empty());
        Some(Self { alarm, says: says.collect() })
    }
}

/// The name of an alarm, without the stack's. An alarm without a name would be named by AWS, and could not be looked up.
fn name(alarm: &Value) -> String {
    let name = match &alarm["AlarmName"] {
        Value::Tagged(name) if name.tag == "!Sub" => {
            name.value.as_str().and_then(|name| name.strip_prefix(STACK))
        }
        _ => None,
    };
    name.expect("an alarm is named after the stack").to_owned()
}

/// The part of the page that is about alarms.
fn runbook() -> String {
    let page = std::fs::read_to_string(root().join("docs/operate.md")).expect("there is docs/operate.md");
    let (_, runbook) = page.split_once(HEADING).expect("it has a part about alarms");
    runbook.split("\n## ").next().expect("a part has a text").to_owned()
}
