//! Scripts of the model for stories, and what is known of a conversation afterwards.

use crate::{Afterwards, Caller, Story, entries};
use journal::JournalEvent;
use local::root;
use sim_audio::hearing::{HEARD, find};
use sim_audio::{Clip, clips, wav};
use sim_openai::{Reply, ReplyItem, Script, Side};
use std::time::Duration;

/// A script that greets, looks an order up at the first question, and says `after`.
pub fn looking_up(order: &str, after: Clip) -> Script {
    Script::new(Reply::speech(clips::agent_greeting()), [looks_up(order, after)])
}

/// A reply that fills the time, looks an order up, and says `after`.
pub fn looks_up(order: &str, after: Clip) -> Reply {
    let lookup = ReplyItem::FunctionCall {
        name: "lookup_order".to_owned(),
        arguments: serde_json::json!({ "order": order }).to_string(),
    };
    let mut reply = Reply::speech(clips::agent_moment()).and(lookup);
    reply.after_tool = Some(Box::new(Reply::speech(after)));
    reply
}

/// A script that greets, uses a tool at the first question, and says `after`.
pub fn using(tool: &str, arguments: &str, after: Clip) -> Script {
    let answer = Reply::call(tool, arguments, Reply::speech(after));
    Script::new(Reply::speech(clips::agent_greeting()), [answer])
}

impl Story {
    /// Returns the outputs of tools that the model received, in order.
    pub fn tool_outputs(&self) -> Vec<String> {
        let sessions = self.model.sessions();
        let created = sessions
            .iter()
            .flat_map(|session| session.events_of(Side::Client, "conversation.item.create"))
            .map(|event| event["item"].clone());
        let outputs = created.filter(|item| item["type"] == "function_call_output");
        outputs.filter_map(|item| item["output"].as_str().map(str::to_owned)).collect()
    }

    /// Returns the text messages that the model received, without tool outputs.
    pub fn texts_to_the_model(&self) -> Vec<String> {
        let sessions = self.model.sessions();
        let created =
            sessions.iter().flat_map(|session| session.events_of(Side::Client, "conversation.item.create"));
        let texts = created.map(|event| event["item"]["content"][0]["text"].clone());
        texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
    }

    /// Returns the key presses that the model received, in order.
    pub fn keys_to_the_model(&self) -> Vec<String> {
        let texts = self.texts_to_the_model();
        let keys = texts
            .iter()
            .filter_map(|text| text.strip_prefix("[The caller pressed on the keypad: ")?.strip_suffix(']'));
        keys.map(str::to_owned).collect()
    }

    /// Returns the protocol faults that the model noted.
    pub fn model_faults(&self) -> Vec<String> {
        self.model.sessions().into_iter().flat_map(|session| session.violations).collect()
    }

    /// Whether the model has heard all of this clip.
    pub fn model_heard(&self, clip: &Clip) -> bool {
        let heard: Vec<i16> = self.model.sessions().into_iter().flat_map(|session| session.heard).collect();
        find(&clip.samples, &heard).is_some_and(|found| found.correlation >= HEARD)
    }

    /// Returns the outage message in a language.
    pub fn apology(&self, language: &str) -> Clip {
        let file = root().join(format!("media-task/apologies/{language}.wav"));
        let samples = wav::parse(&std::fs::read(file).expect("it is recorded")).expect("it is a WAV");
        Clip { name: format!("the apology in {language}"), text: String::new(), samples }
    }

    /// Returns the lines of the product's logs that contain this text.
    pub fn logs_with(&self, needle: &str) -> Vec<String> {
        let logs = self.stack.cloud.log_files();
        let texts = logs.iter().map(|log| std::fs::read_to_string(&log.path).expect("logs can be read"));
        texts.flat_map(|text| lines_with(&text, needle)).collect()
    }

    /// Returns everything in the table, as text to search.
    pub async fn everything_stored(&self) -> String {
        let mut items = vec![];
        self.stack.store.scan(|item| items.push(item)).await.expect("the table can be read");
        format!("{items:?}")
    }

    /// Returns the number's spending today, in millionths of a dollar.
    pub async fn spent_today(&self) -> u64 {
        let agent = agents::Agent::read(&crate::testbed::AGENT.replace("{shop}", "http://127.0.0.1"))
            .expect("the rehearsal's agent is right");
        let day = agent.day(service::time::now_ms());
        let number = sim_meta::MetaConfig::default().phone_number_id.into();
        self.stack.store.spent(&number, &day).await.expect("the table can be read")
    }

    /// Waits until the first line of a call's transcript is stored, and returns it.
    pub async fn first_line_of(&self, caller: &Caller<'_>) -> String {
        self.until("the first line of the transcript", async || !self.lines_of(caller).await.is_empty())
            .await;
        self.lines_of(caller).await.swap_remove(0)
    }

    /// Returns the stored transcript lines of a call.
    pub async fn lines_of(&self, caller: &Caller<'_>) -> Vec<String> {
        let lines = self.calls.lines(&caller.call_ref()).await.expect("the table can be read");
        lines.into_iter().map(|line| line.text).collect()
    }
}

impl Caller<'_> {
    /// Waits until the journal has an event.
    pub async fn waits_for(&self, story: &Story, wanted: impl Fn(&JournalEvent) -> bool) {
        story
            .until("an entry of the journal", async || {
                let journal = story.calls.journal(&self.call_ref()).await.expect("the journal can be read");
                journal.iter().any(|entry| wanted(&entry.event))
            })
            .await;
    }
}

impl Afterwards {
    /// Returns the tools that were used, with their outcomes.
    pub fn tools(&self) -> Vec<String> {
        entries!(self.journal, JournalEvent::Tool { tool, outcome, .. } => format!("{tool}: {outcome}"))
    }

    /// Returns the counts of pressed keys, in order.
    pub fn keys(&self) -> Vec<u64> {
        entries!(self.journal, JournalEvent::Keys { count } => *count)
    }
}

fn lines_with(text: &str, needle: &str) -> Vec<String> {
    text.lines().filter(|line| line.contains(needle)).map(str::to_owned).collect()
}

/// The first seconds of a caller's monologue, which has no pause.
pub fn monologue_of(seconds: u64) -> Clip {
    let mut clip = clips::caller_monologue();
    clip.samples.truncate(sim_audio::samples(Duration::from_secs(seconds)));
    Clip { name: format!("{seconds} s of a monologue"), ..clip }
}
