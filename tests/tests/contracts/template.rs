//! `template.yaml`, as a contract reads it.

use local::root;
use serde_yaml_ng::{Mapping, Value};
use std::collections::BTreeMap;

/// The programs by their key in the template, and the folder that each is built from.
pub(crate) const PROGRAMS: [(&str, &str); 5] = [
    ("Webhook", "functions/webhook"),
    ("CallControl", "functions/call-control"),
    ("Reaper", "functions/reaper"),
    ("Outbox", "functions/outbox"),
    ("MediaTaskDefinition", "media-task"),
];

pub(crate) fn text() -> String {
    std::fs::read_to_string(root().join("template.yaml")).expect("there is template.yaml")
}

/// The template, which a test may break.
#[derive(Clone)]
pub(crate) struct Template(pub Value);

impl Template {
    pub(crate) fn read() -> Self {
        Self(serde_yaml_ng::from_str(&text()).expect("template.yaml is YAML"))
    }

    pub(crate) fn properties(&self, id: &str) -> &Value {
        let properties = self.0.get("Resources").and_then(|all| all.get(id)?.get("Properties"));
        properties.unwrap_or_else(|| panic!("template.yaml has no {id}"))
    }

    /// The same, to be broken.
    pub(crate) fn properties_mut(&mut self, id: &str) -> &mut Value {
        &mut self.0["Resources"][id]["Properties"]
    }

    /// The properties of all resources of a type, by their keys.
    pub(crate) fn of_type(&self, kind: &str) -> BTreeMap<&str, &Value> {
        let all = self.0["Resources"].as_mapping().expect("a template has resources");
        let of_type = all.iter().filter(|(_, resource)| resource["Type"].as_str() == Some(kind));
        of_type
            .map(|(id, resource)| (id.as_str().expect("keys are texts"), &resource["Properties"]))
            .collect()
    }

    /// What a program finds in its environment, by name; values as the template writes them.
    pub(crate) fn environment(&self, program: &str) -> BTreeMap<String, Value> {
        let properties = self.properties(program);
        if let Some(containers) = properties.get("ContainerDefinitions") {
            let set = containers[0]["Environment"].as_sequence().expect("the container has an environment");
            return set.iter().map(|one| (name(&one["Name"]), one["Value"].clone())).collect();
        }
        let set: &Mapping =
            properties["Environment"]["Variables"].as_mapping().expect("it has an environment");
        set.iter().map(|(key, value)| (name(key), value.clone())).collect()
    }
}

fn name(value: &Value) -> String {
    value.as_str().expect("names are texts").to_owned()
}

/// The one line of YAML that a value is.
pub(crate) fn shown(value: &Value) -> String {
    serde_yaml_ng::to_string(value).expect("what was read can be written").trim().to_owned()
}
