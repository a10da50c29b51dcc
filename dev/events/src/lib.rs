//! Holds every event that programs have logged to the list of events: its name, its fields, and that it can be read.
//!
//! Stories log a great deal. What they log under a name of the list says what the list says, and nothing else; what begins like a
//! name of the list is one.

use journal::schema::{self, COMMON, EventSchema};
use journal::{JournalEntry, JournalEvent};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How the name of every event begins.
const PREFIX: &str = "WA_CALL_";

/// The list, and how often each event of it was logged.
#[derive(Debug, Clone)]
pub struct Tally {
    list: BTreeMap<String, (EventSchema, usize)>,
}

impl Default for Tally {
    /// Nothing was logged yet.
    fn default() -> Self {
        let list = schema::events().into_iter().map(|listed| (listed.name.clone(), (listed, 0)));
        Self { list: list.collect() }
    }
}

impl Tally {
    /// Counts what a log says, line by line. What is wrong with it: in which line, from 1, and what.
    pub fn read(&mut self, log: &str) -> Vec<(usize, String)> {
        let lines = log.lines().enumerate().filter(|(_, line)| line.contains(PREFIX));
        lines.flat_map(|(n, line)| self.read_line(line).into_iter().map(move |why| (n + 1, why))).collect()
    }

    /// So many events were logged.
    pub fn logged(&self) -> usize {
        self.list.values().map(|(_, times)| times).sum()
    }

    /// The events of the list that were not logged.
    pub fn unseen(&self) -> Vec<&str> {
        self.list.iter().filter(|(_, (_, times))| *times == 0).map(|(name, _)| name.as_str()).collect()
    }

    fn read_line(&mut self, line: &str) -> Vec<String> {
        let Ok(Value::Object(fields)) = serde_json::from_str(line) else {
            return vec!["names an event and is no JSON object".to_owned()];
        };
        let Some(name) = fields.get("event").and_then(Value::as_str) else {
            return vec!["names an event, but not as its event".to_owned()];
        };
        let Some((listed, times)) = self.list.get_mut(name) else {
            return vec![format!("{name} is in no list")];
        };
        *times += 1;
        faults(listed, &fields)
    }
}

fn faults(listed: &EventSchema, fields: &Map<String, Value>) -> Vec<String> {
    let name = &listed.name;
    let is_known = |field: &str| {
        field == "event"
            || COMMON.iter().any(|(common, ..)| *common == field)
            || listed.fields.iter().any(|own| own.name == field)
    };
    let strange = fields.keys().filter(|field| !is_known(field));
    let strange = strange.map(|field| format!("{name} has no field {field}"));
    strange.chain(unreadable(fields).map(|why| format!("{name} cannot be read: {why}"))).collect()
}

/// Why the journal's own types do not read it, if they do not. What belongs to no call is an event and no entry.
fn unreadable(fields: &Map<String, Value>) -> Option<String> {
    let line = Value::Object(fields.clone());
    let event = if fields.contains_key("call_ref") {
        serde_json::from_value::<JournalEntry>(line).map(|entry| entry.event)
    } else {
        serde_json::from_value::<JournalEvent>(line)
    };
    match event {
        Ok(JournalEvent::Other(_)) => Some("a field lacks, or is of another type".to_owned()),
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal::{EntryBuilder, line_of_no_call};

    #[test]
    fn what_the_journal_writes_is_counted_and_has_no_fault() {
        let mut journal = EntryBuilder::new(&"ab12".into(), "webhook", 1_000, 0);
        let entry = journal.enter(JournalEvent::Answered { took_ms: 7, start: "warm".into() }, 1_250);
        let refused = line_of_no_call(
            &JournalEvent::WebhookRefused { why: "signature".into(), count: 1 },
            "webhook",
            7,
        );
        let mut tally = Tally::default();

        let faults = tally.read(&format!("{}\n{refused}\nsomething else\n", entry.to_line()));

        assert_eq!((faults, tally.logged()), (vec![], 2));
        assert!(!tally.unseen().contains(&"WA_CALL_ANSWERED") && tally.unseen().contains(&"WA_CALL_ENDED"));
    }

    #[test]
    fn an_event_that_differs_from_the_list_is_reported_with_its_line() {
        let good = EntryBuilder::new(&"ab12".into(), "task", 0, 1)
            .enter(JournalEvent::Keys { count: 3 }, 9)
            .to_line();
        for (is, other, why) in [
            ("WA_CALL_KEYS", "WA_CALL_SANG", "WA_CALL_SANG is in no list"),
            (r#""count":3"#, r#""count":3,"keys":"5#""#, "WA_CALL_KEYS has no field keys"),
            (r#""count":3"#, r#""count":"3""#, "WA_CALL_KEYS cannot be read"),
            (r#""sequence":0,"#, "", "WA_CALL_KEYS cannot be read"),
            (r#""event""#, r#""happened""#, "not as its event"),
            ("{", "", "no JSON object"),
        ] {
            let broken = good.replace(is, other);
            assert_ne!(broken, good);

            let faults = Tally::default().read(&format!("{good}\n{broken}"));

            assert_eq!(faults.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2], "{broken}");
            assert!(faults[0].1.contains(why), "{faults:?}");
        }
    }
}
