//! The dashboard shows every metric that is written, and no other.

use local::root;
use serde_json::Value;
use service::metrics::{DIMENSION, Metric, NAMESPACE};
use std::collections::BTreeSet;

#[test]
fn the_dashboard_shows_every_metric_that_is_written_and_no_other() {
    let body = body();
    assert_eq!(faults(&body), [""; 0]);

    for (is, other) in [
        ("LateFramesMs", "Lateness"),
        (r#""ahoy", "Calls""#, r#""Ahoy", "Calls""#),
        (r#""stack""#, r#""Stack""#),
    ] {
        assert!(body.contains(is));
        assert_ne!(faults(&body.replace(is, other)), [""; 0], "{other}");
    }
}

#[test]
fn no_widget_covers_another() {
    let places: Vec<[u64; 4]> = widgets(&body())
        .iter()
        .map(|widget| ["x", "y", "width", "height"].map(|key| widget[key].as_u64().expect("a whole number")))
        .collect();
    for (n, [x, y, width, height]) in places.iter().enumerate() {
        assert!(x + width <= 24, "CloudWatch has 24 columns");
        for (other, [left, top, wide, high]) in places.iter().enumerate().skip(n + 1) {
            let beside = left >= &(x + width) || x >= &(left + wide);
            let below = top >= &(y + height) || y >= &(top + high);
            assert!(beside || below, "widgets {n} and {other}");
        }
    }
}

fn faults(body: &str) -> Vec<String> {
    let widgets = widgets(body);
    let rows = widgets.iter().filter_map(|widget| widget["properties"]["metrics"].as_array()).flatten();
    let ours: Vec<&Value> =
        rows.filter(|row| !row[0].as_str().unwrap_or_default().starts_with("AWS/")).collect();
    let strange =
        ours.iter().filter(|row| row[0] != NAMESPACE || row[2] != DIMENSION || row[3] != "${StackName}");
    let shown: BTreeSet<&str> = ours.iter().filter_map(|row| row[1].as_str()).collect();
    let written: BTreeSet<&str> = Metric::ALL.into_iter().map(Metric::name).collect();
    strange
        .map(|row| format!("not ours: {row}"))
        .chain(written.difference(&shown).map(|name| format!("not shown: {name}")))
        .chain(shown.difference(&written).map(|name| format!("not written: {name}")))
        .collect()
}

fn widgets(body: &str) -> Vec<Value> {
    let body: Value = serde_json::from_str(body).expect("a dashboard is JSON");
    body["widgets"].as_array().cloned().expect("it has widgets")
}

fn body() -> String {
    let file = std::fs::read_to_string(root().join("infra/dashboard.yaml")).expect("the template is there");
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(&file).expect("it is YAML");
    let body = &template["Resources"]["Dashboard"]["Properties"]["DashboardBody"];
    let serde_yaml_ng::Value::Tagged(body) = body else { panic!("{body:?} is no !Sub") };
    body.value.as_str().expect("a body is text").to_owned()
}
