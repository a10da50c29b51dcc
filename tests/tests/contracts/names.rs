//! Handlers, architectures, ports, times, metrics and the log group: said in two places, and meant to be the same.

use crate::template::{PROGRAMS, Template, shown};
use local::root;
use media_task::Settings;
use serde_yaml_ng::Value;
use service::env::Env;
use service::metrics::{self, Metric};
use std::collections::BTreeSet;

/// The functions by their key in the template.
const FUNCTIONS: [&str; 4] = ["Webhook", "CallControl", "Reaper", "Outbox"];

type Break = fn(&mut Template);

#[test]
fn every_function_is_the_program_of_its_folder() {
    kept_until_broken(
        functions,
        &[
            |template| template.0["Globals"]["Function"]["Handler"] = "main".into(),
            |template| template.properties_mut("Reaper")["CodeUri"] = "functions/webhook".into(),
            |template| {
                template.0["Resources"]["CallControl"]["Metadata"]["BuildProperties"]["Binary"] =
                    "control".into()
            },
            |template| template.properties_mut("Webhook")["FunctionName"] = "webhook".into(),
        ],
    );
}

fn functions(template: &Template) -> Vec<String> {
    let globals = &template.0["Globals"]["Function"];
    let mut faults = Faults::default();
    faults.unless(globals["Handler"] == "bootstrap", "cargo-lambda's programs are called bootstrap");
    faults.unless(globals["Runtime"] == "provided.al2023", "a Rust program brings its own runtime");
    for (key, folder) in PROGRAMS.into_iter().filter(|(key, _)| FUNCTIONS.contains(key)) {
        let program = folder.trim_start_matches("functions/");
        let function = template.properties(key);
        let build = &template.0["Resources"][key]["Metadata"];
        let manifest =
            std::fs::read_to_string(root().join(folder).join("Cargo.toml")).expect("there is a crate");
        faults.unless(
            manifest.contains(&format!("name = \"{program}\"")),
            &format!("{folder} is not {program}"),
        );
        faults.unless(function["CodeUri"] == folder, &format!("{key} is built from {folder}"));
        faults.unless(
            build["BuildProperties"]["Binary"] == program,
            &format!("{key} is the program {program}"),
        );
        faults.unless(
            tagged(&function["FunctionName"], "!Sub", &format!("${{AWS::StackName}}-{program}")),
            &format!("others know {key} as <stack>-{program}"),
        );
    }
    faults.0
}

#[test]
fn everything_is_built_for_arm64() {
    kept_until_broken(
        architectures,
        &[
            |template| template.0["Globals"]["Function"]["Architectures"][0] = "x86_64".into(),
            |template| {
                template.properties_mut("MediaTaskDefinition")["RuntimePlatform"]["CpuArchitecture"] =
                    "X86_64".into()
            },
            |template| {
                template.properties_mut("Reaper")["Architectures"] = Value::Sequence(vec!["x86_64".into()])
            },
        ],
    );
}

fn architectures(template: &Template) -> Vec<String> {
    let mut faults = Faults::default();
    faults.unless(
        shown(&template.0["Globals"]["Function"]["Architectures"]) == "- arm64",
        "functions are arm64",
    );
    let own = FUNCTIONS.iter().any(|function| template.properties(function).get("Architectures").is_some());
    faults.unless(!own, "no function is an exception");
    let platform = &template.properties("MediaTaskDefinition")["RuntimePlatform"];
    faults.unless(platform["CpuArchitecture"] == "ARM64", "the image is arm64");
    faults.0
}

#[test]
fn the_door_is_the_only_way_in() {
    kept_until_broken(
        ways_in,
        &[
            |template| container(template)["PortMappings"][0]["ContainerPort"] = 8080.into(),
            |template| rules(template)[0]["Fn::If"][2]["FromPort"] = 0.into(),
            |template| rules(template)[0]["Fn::If"][1]["IpProtocol"] = "udp".into(),
            |template| {
                let more = rules(template)[0].clone();
                rules(template).push(more);
            },
        ],
    );
}

fn ways_in(template: &Template) -> Vec<String> {
    let enough = ["TABLE", "MEDIA_SECRET", "CALL_CONTROL"].map(|name| (name, "x"));
    let settings = Settings::from_env(&Env::of(&[&enough[..], &[("AHOY_PUBLIC_IP", "192.0.2.1")]].concat()));
    let door = settings.expect("nothing is missing").control_api_port;
    let mut faults = Faults::default();
    let mapped = &template.properties("MediaTaskDefinition")["ContainerDefinitions"][0]["PortMappings"];
    faults.unless(mapped.as_sequence().map(Vec::len) == Some(1), "one port is mapped");
    faults
        .unless(mapped[0]["ContainerPort"].as_u64() == Some(door.into()), "the control API's port is mapped");
    let rules = template.properties("MediaSecurityGroup")["SecurityGroupIngress"].as_sequence();
    let rules = rules.expect("a security group has rules");
    faults.unless(rules.len() == 1, "there is one rule: media needs none");
    for rule in rules.iter().flat_map(|rule| [&rule["Fn::If"][1], &rule["Fn::If"][2]]) {
        let is_control_api =
            ["FromPort", "ToPort"].iter().all(|port| rule[*port].as_u64() == Some(door.into()));
        faults.unless(is_control_api && rule["IpProtocol"] == "tcp", "only the control API is let in");
    }
    faults.0
}

#[test]
fn a_task_knows_how_long_it_has_to_end() {
    kept_until_broken(stop_timeout, &[|template| container(template)["StopTimeout"] = 60.into()]);
}

fn stop_timeout(template: &Template) -> Vec<String> {
    let container = &template.properties("MediaTaskDefinition")["ContainerDefinitions"][0];
    let told = template.environment("MediaTaskDefinition")["AHOY_STOP_TIMEOUT_S"].as_str().map(str::to_owned);
    let mut faults = Faults::default();
    let is_told = container["StopTimeout"].as_u64().map(|seconds| seconds.to_string()) == told;
    faults.unless(is_told, "AHOY_STOP_TIMEOUT_S is the stop timeout");
    faults.0
}

#[test]
fn every_metric_asked_for_is_one_that_is_written() {
    kept_until_broken(
        metrics,
        &[
            |template| template.properties_mut("LostCallsAlarm")["MetricName"] = "CallsLost".into(),
            |template| template.properties_mut("MissedCallsAlarm")["Dimensions"][0]["Name"] = "Stack".into(),
            |template| template.properties_mut("SlowAnswersAlarm")["Namespace"] = "Ahoy".into(),
            |template| scaling(template)["MetricName"] = "Utilization".into(),
            |template| _ = environment(template, "Webhook").remove("AHOY_STACK"),
        ],
    );
}

fn metrics(template: &Template) -> Vec<String> {
    let alarms = template.of_type("AWS::CloudWatch::Alarm");
    let policy = "TargetTrackingScalingPolicyConfiguration";
    let scaling = &template.properties("MediaTasksByLoad")[policy]["CustomizedMetricSpecification"];
    // Those of Lambda and SQS are theirs to name; an alarm over several has no namespace.
    let of_aws = |metric: &Value| metric["Namespace"].as_str().is_none_or(|name| name.starts_with("AWS/"));
    let ours = alarms.into_values().filter(|alarm| !of_aws(alarm)).chain([scaling]);
    let mut faults = Faults::default();
    for metric in ours {
        let name = metric["MetricName"].as_str().expect("a metric has a name");
        faults.unless(metric["Namespace"] == metrics::NAMESPACE, &format!("the namespace of {name} is ahoy"));
        faults.unless(
            Metric::ALL.iter().any(|metric| metric.name() == name),
            &format!("{name} is not written"),
        );
        let dimensions = &metric["Dimensions"];
        let is_stack = dimensions[0]["Name"] == metrics::DIMENSION
            && tagged(&dimensions[0]["Value"], "!Ref", "AWS::StackName");
        faults.unless(
            is_stack && dimensions.as_sequence().map(Vec::len) == Some(1),
            &format!("{name} is by stack"),
        );
    }
    for (program, _) in PROGRAMS {
        let told = template.environment(program).get("AHOY_STACK").cloned().unwrap_or_default();
        faults.unless(tagged(&told, "!Ref", "AWS::StackName"), &format!("{program} knows its stack"));
    }
    faults.0
}

#[test]
fn all_programs_log_to_one_group() {
    kept_until_broken(
        log_group,
        &[
            |template| container(template)["LogConfiguration"]["Options"]["awslogs-group"] = "/ahoy".into(),
            |template| template.0["Globals"]["Function"]["LoggingConfig"]["LogGroup"] = "/ahoy".into(),
            |template| template.0["Globals"]["Function"]["LoggingConfig"]["LogFormat"] = "Text".into(),
            |template| template.properties_mut("Queries")["Parameters"]["LogGroupName"] = "/ahoy".into(),
            |template| template.properties_mut("LogGroup")["LogGroupName"] = "ahoy".into(),
        ],
    );
}

fn log_group(template: &Template) -> Vec<String> {
    let logging = &template.0["Globals"]["Function"]["LoggingConfig"];
    let task =
        &template.properties("MediaTaskDefinition")["ContainerDefinitions"][0]["LogConfiguration"]["Options"];
    let mut faults = Faults::default();
    let name = &template.properties("LogGroup")["LogGroupName"];
    faults.unless(tagged(name, "!Sub", "/ahoy/${AWS::StackName}"), "its name is /ahoy/<stack>");
    faults.unless(tagged(&logging["LogGroup"], "!Ref", "LogGroup"), "functions log there");
    faults.unless(logging["LogFormat"] == "JSON", "functions log JSON");
    faults.unless(tagged(&task["awslogs-group"], "!Ref", "LogGroup"), "media tasks log there");
    let queries = &template.properties("Queries")["Parameters"]["LogGroupName"];
    faults.unless(tagged(queries, "!Ref", "LogGroup"), "queries look there");
    faults.0
}

/// A contract has no faults as things are, and one at least whichever way it is broken.
fn kept_until_broken(faults: fn(&Template) -> Vec<String>, breaks: &[Break]) {
    assert_eq!(faults(&Template::read()), [""; 0]);
    for (n, breaks) in breaks.iter().enumerate() {
        let mut broken = Template::read();
        breaks(&mut broken);
        assert_ne!(faults(&broken), [""; 0], "break {n}");
    }
}

/// What is wrong with a template, each once.
#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn unless(&mut self, is_so: bool, wanted: &str) {
        let seen: BTreeSet<_> = self.0.iter().map(String::as_str).collect();
        if !is_so && !seen.contains(wanted) {
            self.0.push(wanted.to_owned());
        }
    }
}

fn tagged(value: &Value, tag: &str, text: &str) -> bool {
    matches!(value, Value::Tagged(tagged) if tagged.tag == tag && tagged.value.as_str() == Some(text))
}

fn container(template: &mut Template) -> &mut Value {
    &mut template.properties_mut("MediaTaskDefinition")["ContainerDefinitions"][0]
}

fn rules(template: &mut Template) -> &mut Vec<Value> {
    let Value::Sequence(rules) = &mut template.properties_mut("MediaSecurityGroup")["SecurityGroupIngress"]
    else {
        panic!("a security group has rules");
    };
    rules
}

fn scaling(template: &mut Template) -> &mut Value {
    let policy = "TargetTrackingScalingPolicyConfiguration";
    &mut template.properties_mut("MediaTasksByLoad")[policy]["CustomizedMetricSpecification"]
}

fn environment<'a>(template: &'a mut Template, function: &str) -> &'a mut serde_yaml_ng::Mapping {
    let Value::Mapping(variables) = &mut template.properties_mut(function)["Environment"]["Variables"] else {
        panic!("{function} has an environment");
    };
    variables
}
