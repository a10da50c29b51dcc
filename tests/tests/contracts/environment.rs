//! Each setting a program cannot do without is set by the template, and nothing is set that it does not read.

use crate::source;
use crate::template::{PROGRAMS, Template};
use std::collections::{BTreeMap, BTreeSet};

/// Settings that ECS gives each task.
const BY_ECS: [&str; 1] = ["ECS_CONTAINER_METADATA_URI_V4"];

/// What is read by the SDK, or by the operating system's libraries, and not by us.
const BY_OTHERS: [&str; 1] = ["AWS_USE_DUALSTACK_ENDPOINT"];

#[test]
fn every_program_is_told_what_it_must_know_and_nothing_else() {
    let template = Template::read();
    for (program, folder) in PROGRAMS {
        let read = source::of_program(folder).settings;
        assert!(read.len() > 1, "{program} reads settings: {read:?}");
        let set: BTreeSet<_> = template.environment(program).into_keys().collect();
        assert_eq!(faults(&read, &set), [""; 0], "{program}");

        for needed in read.iter().filter(|(name, is_needed)| **is_needed && !BY_ECS.contains(&name.as_str()))
        {
            let mut broken = set.clone();
            broken.remove(needed.0);
            assert_eq!(faults(&read, &broken), [format!("{} is not set", needed.0)], "{program}");
        }
        let mut broken = set;
        broken.insert("UNREAD_SETTING".to_owned());
        assert_eq!(faults(&read, &broken), ["UNREAD_SETTING is not read"], "{program}");
    }
}

fn faults(read: &BTreeMap<String, bool>, set: &BTreeSet<String>) -> Vec<String> {
    let missing = read
        .iter()
        .filter(|(name, is_needed)| **is_needed && !BY_ECS.contains(&name.as_str()) && !set.contains(*name));
    let unread = set.iter().filter(|name| !read.contains_key(*name) && !BY_OTHERS.contains(&name.as_str()));
    let missing = missing.map(|(name, _)| format!("{name} is not set"));
    missing.chain(unread.map(|name| format!("{name} is not read"))).collect()
}
