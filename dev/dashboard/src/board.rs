//! A dashboard as its template says it.

use crate::{Place, Statistic};
use anyhow::{Context, anyhow, bail, ensure};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Where a query says which log it is about.
const SOURCE: &str = "SOURCE ";

/// A dashboard.
#[derive(Debug, Clone, PartialEq)]
pub struct Board {
    /// Its widgets, as they are listed.
    pub widgets: Vec<Widget>,
}

/// A part of a dashboard.
#[derive(Debug, Clone, PartialEq)]
pub struct Widget {
    /// Where it is.
    pub place: Place,
    /// What stands above it.
    pub title: String,
    /// What it shows.
    pub what: What,
}

/// What a widget shows.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// Metrics over time.
    Metric(Metric),
    /// What a query finds.
    Log(Log),
}

/// Metrics over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// For how long a point stands, seconds.
    pub period_s: u64,
    /// The lines.
    pub rows: Vec<Row>,
    /// Where the axes begin and end, where that is said.
    pub axes: BTreeMap<Side, (Option<f64>, Option<f64>)>,
}

/// A metric, with what is made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Whose metric it is.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its dimensions.
    pub dimensions: BTreeMap<String, String>,
    /// What is made of the values of a period.
    pub statistic: Statistic,
    /// What it is called.
    pub label: String,
    /// Red, green and blue, where that is said.
    pub colour: Option<[u8; 3]>,
    /// Its axis.
    pub side: Side,
}

/// An axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The left one.
    Left,
    /// The right one.
    Right,
}

/// What a query finds.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    /// The query, without the log that it is about.
    pub query: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Body {
    period_override: String,
    widgets: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    x: u32,
    y: u32,
    width: u32,
    height: u32,
    properties: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct OfMetric {
    title: String,
    #[serde(rename = "region")]
    _region: String,
    stat: Option<String>,
    period: u64,
    metrics: Vec<Vec<Value>>,
    #[serde(default)]
    y_axis: BTreeMap<Side, Axis>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Axis {
    min: Option<f64>,
    max: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    label: String,
    color: Option<String>,
    stat: Option<String>,
    y_axis: Option<Side>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfLog {
    title: String,
    #[serde(rename = "region")]
    _region: String,
    view: String,
    query: String,
}

impl Board {
    /// Reads a template with one dashboard, `DashboardBody: !Sub`, with these names for what is to be filled in.
    ///
    /// # Errors
    /// What in it is not known here.
    pub fn of_template(template: &str, names: &[(&str, &str)]) -> anyhow::Result<Self> {
        let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(template).context("it is no YAML")?;
        let body = &template["Resources"]["Dashboard"]["Properties"]["DashboardBody"];
        let serde_yaml_ng::Value::Tagged(body) = body else { bail!("there is no DashboardBody: !Sub") };
        let mut text = body.value.as_str().context("the body is no text")?.to_owned();
        for (name, value) in names {
            text = text.replace(&format!("${{{name}}}"), value);
        }
        Self::read(&text)
    }

    /// Reads a dashboard's body.
    ///
    /// # Errors
    /// What in it is not known here.
    pub fn read(body: &str) -> anyhow::Result<Self> {
        ensure!(!body.contains("${"), "something is left to be filled in");
        let body: Body = serde_json::from_str(body).context("it is no dashboard")?;
        ensure!(body.period_override == "inherit", "widgets have periods of their own");
        let widgets = body.widgets.into_iter().enumerate();
        let widgets = widgets.map(|(n, value)| widget(value).with_context(|| format!("widget {n}")));
        Ok(Self { widgets: widgets.collect::<Result<_, _>>()? })
    }
}

fn widget(value: Value) -> anyhow::Result<Widget> {
    let Part { kind, x, y, width, height, properties } = serde_json::from_value(value)?;
    let (title, what) = match kind.as_str() {
        "metric" => metric(serde_json::from_value(properties)?)?,
        "log" => log(serde_json::from_value(properties)?)?,
        other => bail!("no widget of type {other} can be drawn"),
    };
    Ok(Widget { place: Place { x, y, width, height }, title, what })
}

fn metric(said: OfMetric) -> anyhow::Result<(String, What)> {
    ensure!(said.period > 0, "a period lasts a while");
    let rows = said.metrics.into_iter().map(|row| self::row(row, said.stat.as_deref()));
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    let axes = said.y_axis.into_iter().map(|(side, axis)| (side, (axis.min, axis.max))).collect();
    Ok((said.title, What::Metric(Metric { period_s: said.period, rows, axes })))
}

/// `["namespace", "name", "dimension", "value", …, {options}]`.
fn row(mut row: Vec<Value>, statistic: Option<&str>) -> anyhow::Result<Row> {
    let options = row.pop().filter(Value::is_object).context("a row ends with its options")?;
    let options: Options = serde_json::from_value(options)?;
    let words = row.iter().map(|word| word.as_str().filter(|word| !word.starts_with('.')));
    let words: Option<Vec<_>> = words.collect();
    let words = words.ok_or_else(|| anyhow!("a row says namespace, name and dimensions in full: {row:?}"))?;
    let [namespace, name, dimensions @ ..] = &words[..] else { bail!("a row names a metric") };
    ensure!(dimensions.len() % 2 == 0, "each dimension has a value");
    let statistic = options.stat.as_deref().or(statistic).context("the widget names no statistic")?;
    Ok(Row {
        namespace: (*namespace).to_owned(),
        name: (*name).to_owned(),
        dimensions: dimensions.chunks(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect(),
        statistic: statistic.parse()?,
        label: options.label,
        colour: options.color.as_deref().map(colour).transpose()?,
        side: options.y_axis.unwrap_or(Side::Left),
    })
}

/// `#rrggbb`.
fn colour(text: &str) -> anyhow::Result<[u8; 3]> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
    let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let [_, colour @ ..] = number.with_context(|| format!("{text} is no colour"))?.to_be_bytes();
    Ok(colour)
}

fn log(said: OfLog) -> anyhow::Result<(String, What)> {
    ensure!(said.view == "table", "a query's result cannot be drawn as {}", said.view);
    let query = said.query.strip_prefix(SOURCE).and_then(|rest| rest.split_once(" | "));
    let (_, query) = query.context("a query says its source first")?;
    Ok((said.title, What::Log(Log { query: query.to_owned() })))
}
