//! A dashboard is read as it is written, or not at all; and its lines are what the recorded values make, as counted by hand.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use dashboard::{Board, Point, Recording, Side, Statistic, What, svg};
use serde_json::{Value, json};

/// 22 November 2026, 20:00 UTC.
const EIGHT: u64 = 1_795_377_600_000;

const MINUTE: u64 = 60_000;

#[test]
fn lines_are_what_the_recorded_values_make() {
    let board = Board::read(&body().to_string()).unwrap();
    let recording = recorded();

    // By hand. 20:00 to 20:05: calls 2 and 1, waits 700, 500 and 900, slots 50 and 10. 20:10: one call, a wait of 300.
    assert_eq!(
        lines(&board, &recording),
        [
            ("rang", vec![(0, 3.0), (10, 1.0)]),
            ("half", vec![(0, 700.0), (10, 300.0)]),
            ("19 of 20", vec![(0, 900.0), (10, 300.0)]),
            ("used", vec![(0, 30.0)]),
            ("free", vec![(0, 1.0)]),
            ("of another stack", vec![]),
            ("failed", vec![]),
        ]
    );
}

#[test]
fn a_row_has_the_axis_and_the_colour_that_it_says() {
    let board = Board::read(&body().to_string()).unwrap();
    let rows = |widget: usize| match &board.widgets[widget].what {
        What::Metric(metric) => &metric.rows,
        What::Log(log) => panic!("{log:?}"),
    };

    assert_eq!(
        rows(0).iter().map(|row| row.colour).collect::<Vec<_>>(),
        [Some([0xd6, 0x27, 0x28]), None, None]
    );
    let right: Vec<_> =
        rows(1).iter().filter(|row| row.side == Side::Right).map(|row| &row.label[..]).collect();
    assert_eq!(right, ["free"]);
}

#[test]
fn a_statistic_is_of_all_values_of_a_period_and_of_no_others() {
    let values = (1..=20).map(|n| (n * 1_000, n as f64)).chain([(60_000, 99.0)]);
    let of = |name: &str| -> Vec<(u64, f64)> {
        let statistic: Statistic = name.parse().unwrap();
        statistic.points(values.clone(), 60).iter().map(|point| (point.at_ms, point.value)).collect()
    };

    assert_eq!(of("Sum"), [(0, 210.0), (60_000, 99.0)]);
    assert_eq!(of("Average"), [(0, 10.5), (60_000, 99.0)]);
    assert_eq!(of("Minimum"), [(0, 1.0), (60_000, 99.0)]);
    assert_eq!(of("p50"), [(0, 10.0), (60_000, 99.0)]);
    assert_eq!(of("p95"), [(0, 19.0), (60_000, 99.0)]);
    assert_eq!(of("p100"), [(0, 20.0), (60_000, 99.0)]);
}

#[test]
fn what_it_does_not_know_of_a_dashboard_is_an_error() {
    type Break = fn(&mut Value);
    let breaks: [(&str, Break); 13] = [
        ("a property of the body", |body| body["start"] = json!("-PT3H")),
        ("periods of the window's own", |body| body["periodOverride"] = json!("auto")),
        ("another kind of widget", |body| body["widgets"][0]["type"] = json!("alarm")),
        ("a property of a widget", |body| properties(body, 0)["stacked"] = json!(true)),
        ("a property of a row", |body| properties(body, 0)["metrics"][0][4]["visible"] = json!(false)),
        ("a property of an axis", |body| properties(body, 1)["yAxis"]["left"]["showUnits"] = json!(false)),
        ("another axis", |body| properties(body, 0)["metrics"][0][4]["yAxis"] = json!("middle")),
        ("an expression", |body| properties(body, 0)["metrics"][0] = json!([{ "expression": "m1 * 2" }])),
        ("words that stand above", |body| properties(body, 0)["metrics"][0][0] = json!("...")),
        ("another statistic", |body| properties(body, 0)["metrics"][0][4]["stat"] = json!("tm99")),
        ("no statistic", |body| {
            properties(body, 0).as_object_mut().unwrap().remove("stat");
        }),
        ("another view", |body| properties(body, 2)["view"] = json!("pie")),
        ("something left to be filled in", |body| properties(body, 0)["title"] = json!("${StackName}")),
    ];

    for (what, breaks) in breaks {
        let mut body = body();
        breaks(&mut body);
        assert!(Board::read(&body.to_string()).is_err(), "{what}");
    }
}

#[test]
fn a_metric_line_of_another_form_is_an_error_with_its_place() {
    let good = line(EIGHT, "Calls", json!(1));
    for (is, other) in [
        (r#""Unit""#, r#""StorageResolution":1,"Unit""#),
        (r#""Calls":1"#, r#""Calls":"1""#),
        (r#""Calls":1"#, r#""Calls":[]"#),
        (r#","Calls":1"#, ""),
        (r#""stack":"ahoy","#, ""),
        (r#""Timestamp""#, r#""At""#),
    ] {
        let broken = good.replace(is, other);
        assert_ne!(broken, good);

        let error = Recording::default().add(&format!("{good}\n{broken}")).unwrap_err();

        assert!(format!("{error:#}").starts_with("line 2: "), "{error:#}");
    }
}

#[test]
fn the_picture_says_all_that_the_dashboard_says() {
    let board = Board::read(&body().to_string()).unwrap();

    let picture = svg(&board, &recorded()).unwrap();

    for words in [
        "Calls",
        "rang",
        "Calls Sum",
        "Room",
        "SlotUtilization Average",
        "every 5 min",
        "every 1 min",
        "20:10",
        "Errors Sum: nothing recorded",
        "How calls ended",
        "caller_hung_up",
        "12 values",
    ] {
        assert!(picture.contains(words), "{words} is missing");
    }
    assert!(!picture.contains("<image"));
}

#[test]
fn an_empty_recording_and_an_unknown_query_are_refused() {
    let mut body = body();
    assert!(svg(&Board::read(&body.to_string()).unwrap(), &Recording::default()).is_err());

    properties(&mut body, 2)["query"] = json!("SOURCE '/ahoy/ahoy' | pattern @message");
    let error = svg(&Board::read(&body.to_string()).unwrap(), &recorded()).unwrap_err();
    assert!(error.to_string().starts_with("How calls ended: "), "{error}");
}

#[test]
fn the_dashboard_that_is_deployed_is_one_it_knows() {
    let template = include_str!("../../../infra/dashboard.yaml");
    let names = [("AWS::Region", "eu-central-1"), ("StackName", "ahoy"), ("LogGroupName", "/ahoy/ahoy")];

    let board = Board::of_template(template, &names).unwrap();

    let rows = lines(&board, &Recording::default());
    assert!(rows.len() >= 15 && svg(&board, &recorded()).is_ok(), "{rows:?}");
    assert!(Board::of_template(template, &names[..2]).is_err(), "a name is not filled in");
}

/// What each line is called, and its points: minutes after eight, and values.
fn lines<'a>(board: &'a Board, recording: &Recording) -> Vec<(&'a str, Vec<(u64, f64)>)> {
    let metrics = board.widgets.iter().filter_map(|widget| match &widget.what {
        What::Metric(metric) => Some(metric),
        What::Log(_) => None,
    });
    let place = |point: Point| ((point.at_ms - EIGHT) / MINUTE, point.value);
    let rows = metrics.flat_map(|metric| metric.rows.iter().map(|row| (row, metric.period_s)));
    rows.map(|(row, period_s)| {
        (row.label.as_str(), recording.points(row, period_s).into_iter().map(place).collect())
    })
    .collect()
}

fn properties(body: &mut Value, widget: usize) -> &mut Value {
    &mut body["widgets"][widget]["properties"]
}

fn body() -> Value {
    let at = |x: u32, y: u32| json!({ "type": "metric", "x": x, "y": y, "width": 12, "height": 6 });
    let widget = |x, y, properties: Value| {
        let mut widget = at(x, y);
        widget["properties"] = properties;
        widget
    };
    let mut log = widget(
        0,
        6,
        json!({ "title": "How calls ended", "region": "eu-central-1", "view": "table",
        "query": "SOURCE '/ahoy/ahoy' | filter event = \"WA_CALL_ENDED\" | stats count(*) as calls by ending" }),
    );
    log["type"] = json!("log");
    json!({ "periodOverride": "inherit", "widgets": [
        widget(0, 0, json!({ "title": "Calls", "region": "eu-central-1", "stat": "Sum", "period": 300, "metrics": [
            ["ahoy", "Calls", "stack", "ahoy", { "label": "rang", "color": "#d62728" }],
            ["ahoy", "AnswerMs", "stack", "ahoy", { "label": "half", "stat": "p50" }],
            ["ahoy", "AnswerMs", "stack", "ahoy", { "label": "19 of 20", "stat": "p95" }]] })),
        widget(12, 0, json!({ "title": "Room", "region": "eu-central-1", "stat": "Sum", "period": 60, "metrics": [
            ["ahoy", "SlotUtilization", "stack", "ahoy", { "label": "used", "stat": "Average" }],
            ["ahoy", "FreeSlots", "stack", "ahoy", { "label": "free", "stat": "Minimum", "yAxis": "right" }],
            ["ahoy", "Calls", "stack", "other", { "label": "of another stack" }],
            ["AWS/Lambda", "Errors", "FunctionName", "ahoy-webhook", { "label": "failed" }]],
            "yAxis": { "left": { "min": 0, "max": 100 }, "right": { "min": 0 } } })),
        log,
    ] })
}

fn recorded() -> Recording {
    let ended = json!({ "level": "INFO", "event": "WA_CALL_ENDED", "ending": "caller_hung_up" });
    let lines = [
        line(EIGHT, "Calls", json!(2)),
        line(EIGHT + 10, "AnswerMs", json!([700.0, 500.0])),
        line(EIGHT + 4 * MINUTE, "AnswerMs", json!([900.0])),
        line(EIGHT + 5 * MINUTE - 1, "Calls", json!(1)),
        line(EIGHT + 10 * MINUTE, "Calls", json!(1)),
        line(EIGHT + 10 * MINUTE, "AnswerMs", json!([300.0])),
        line(EIGHT, "SlotUtilization", json!(50.0)),
        line(EIGHT + 59_999, "SlotUtilization", json!(10.0)),
        line(EIGHT, "FreeSlots", json!(4.0)),
        line(EIGHT + 1, "FreeSlots", json!([1.0, 3.0])),
        ended.to_string(),
        "a line that is no JSON".to_owned(),
    ];
    let mut recording = Recording::default();
    recording.add(&lines.join("\n")).unwrap();
    recording
}

fn line(at_ms: u64, name: &str, value: Value) -> String {
    let unit = if name.ends_with("Ms") { "Milliseconds" } else { "Count" };
    format!(
        r#"{{"_aws":{{"Timestamp":{at_ms},"CloudWatchMetrics":[{{"Namespace":"ahoy","Dimensions":[["stack"]],"Metrics":[{{"Name":"{name}","Unit":"{unit}"}}]}}]}},"stack":"ahoy","{name}":{value}}}"#
    )
}
