//! `ahoy messages`: lists what callers left for people, newest calls first, and marks it as done.

use super::show;
use crate::call_details::named;
use crate::figures::{moment, short};
use crate::output::{self, printable};
use crate::search::Search;
use crate::{Common, cloud};
use anstyle::Style;
use anyhow::bail;
use call::{CallRef, CallerDetails, NumberId};
use clap::Args;
use futures_util::{StreamExt, TryStreamExt};
use serde_json::{Value, json};
use service::time::now_ms;
use std::process::ExitCode;
use std::str::FromStr;
use store::items::from_item;
use store::{CallListing, LeftItem, LoadedCall, Store};
use tools::{Callback, Message};

/// How many calls are read at once.
const AT_ONCE: usize = 16;

const HEAD: Style = Style::new().bold();

#[derive(Debug, Args)]
pub(crate) struct Messages {
    /// Only what was left in calls to this number, by Meta's phone number id or, on the telephone line, by its name.
    #[arg(long, value_name = "ID")]
    number: Option<NumberId>,
    /// Also what is marked as done.
    #[arg(long)]
    all: bool,
    /// Mark this as done, by the id that the list shows; may be repeated.
    #[arg(long, value_name = "ID", conflicts_with_all = ["number", "all"])]
    done: Vec<LeftId>,
    /// The most calls to look at, the latest first.
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=5_000))]
    limit: u16,
}

/// The name of what a caller left: the beginning of its call's reference, and its number in the call.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LeftId {
    call: String,
    n: u64,
}

/// What a caller left, with its call and who left it.
struct Row {
    call: CallListing,
    caller: CallerDetails,
    left: LeftItem,
}

impl Messages {
    pub(crate) async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let store = cloud::store(common).await?;
        if !self.done.is_empty() {
            return mark_done(&store, &self.done, common.json).await;
        }
        let search = Search { number: self.number, ..Search::default() };
        let found = search.run(&store, usize::from(self.limit), now_ms()).await?;
        let answered = found.calls.into_iter().filter(|call| call.accepted_at_ms.is_some());
        let rows = futures_util::stream::iter(answered).map(|call| rows_of(&store, call)).buffered(AT_ONCE);
        let rows: Vec<Vec<Row>> = rows.try_collect().await?;
        let is_wanted = |row: &Row| self.all || row.left.done_at_ms.is_none();
        let rows: Vec<_> = rows.into_iter().flatten().filter(is_wanted).collect();
        let has_more = found.next.is_some();
        if common.json {
            let left: Vec<_> = rows.iter().map(Row::to_json).collect();
            output::json(&json!({"left": left, "more": has_more, "since": found.since}));
            return Ok(ExitCode::SUCCESS);
        }
        if rows.is_empty() {
            output::line(if self.all { "Callers left nothing." } else { "Nothing is left to do." });
        }
        rows.iter().for_each(|row| output::line(row.to_text()));
        match found.since {
            _ if has_more => output::error_line(format!(
                "Only the latest {} calls were searched: use --limit or --number.",
                self.limit
            )),
            Some(since) => {
                output::error_line(format!("Calls before {since} were not searched: use --number."));
            }
            None => {}
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn mark_done(store: &Store, ids: &[LeftId], is_json: bool) -> anyhow::Result<ExitCode> {
    let mut marked = vec![];
    for LeftId { call, n } in ids {
        let call_ref = named(store, call).await?.call_ref;
        if !store.mark_left_done(&call_ref, *n, now_ms()).await? {
            bail!("nothing was left under {call}:{n}, or it has expired");
        }
        marked.push(id(&call_ref, *n));
    }
    if is_json {
        output::json(&json!({"done": marked}));
    } else {
        output::line(format!("Done: {}", marked.join(", ")));
    }
    Ok(ExitCode::SUCCESS)
}

async fn rows_of(store: &Store, call: CallListing) -> anyhow::Result<Vec<Row>> {
    let left = store.left_in(&call.call_ref).await?;
    if left.is_empty() {
        return Ok(vec![]);
    }
    let caller = match store.load_call(&call.call_ref).await? {
        LoadedCall::Found(record) => record.caller_details(),
        LoadedCall::Missing | LoadedCall::EndOnly | LoadedCall::Unreadable(_) => CallerDetails::default(),
    };
    let row = |left| Row { call: call.clone(), caller: caller.clone(), left };
    Ok(left.into_iter().map(row).collect())
}

impl Row {
    fn to_json(&self) -> Value {
        let Self { call, caller, left } = self;
        let mut value = json!({
            "id": id(&call.call_ref, left.n), "call_ref": call.call_ref, "number": call.number, "kind": left.kind,
            "left_at_ms": left.left_at_ms, "done_at_ms": left.done_at_ms,
            "caller": {"number": caller.number, "user_id": caller.user_id, "name": caller.name},
        });
        if let Some(message) = self.message() {
            value["message"] = json!(message);
        }
        if let Some(callback) = self.callback() {
            value["callback"] = json!(callback);
        }
        value
    }

    fn to_text(&self) -> String {
        let Self { call, caller, left } = self;
        let done = left.done_at_ms.map(|at| format!(", done {} UTC", moment(at))).unwrap_or_default();
        let head = format!(
            "{HEAD}{}{HEAD:#}  {} UTC, number {}{done}",
            id(&call.call_ref, left.n),
            moment(left.left_at_ms),
            call.number
        );
        let number = caller.number.as_ref().map(|number| format!("caller +{number}"));
        let caller_id = number.or(caller.user_id.as_ref().map(|user| format!("caller {user}")));
        let caller_id = caller_id.unwrap_or_else(|| "caller unknown".to_owned());
        let name = caller.name.as_ref().map(|name| format!("who calls themselves {name}"));
        let (facts, words) = self.said();
        let facts: Vec<_> =
            facts.into_iter().chain([caller_id]).chain(name).map(|fact| printable(&fact)).collect();
        format!("{head}\n  {}\n  {}\n", facts.join(", "), printable(&words))
    }

    /// Returns what the caller left: facts about it, and its words.
    fn said(&self) -> (Vec<String>, String) {
        if let Some(message) = self.message() {
            let kind = if message.urgent { "urgent message" } else { "message" };
            let from = message.caller_name.map(|name| format!("from {name}"));
            return ([Some(kind.to_owned()), from].into_iter().flatten().collect(), message.message);
        }
        if let Some(callback) = self.callback() {
            let when = callback.when.map(|when| format!("when: {when}"));
            let number = callback.number.map(|number| format!("at {number}"));
            let facts = [Some("wants to be called back".to_owned()), when, number];
            return (facts.into_iter().flatten().collect(), callback.about);
        }
        (vec![self.left.kind.clone()], "Try: ahoy messages --json, with a newer ahoy.".to_owned())
    }

    fn message(&self) -> Option<Message> {
        (self.left.kind == "message").then(|| from_item(self.left.content.clone()).ok())?
    }

    fn callback(&self) -> Option<Callback> {
        (self.left.kind == "callback").then(|| from_item(self.left.content.clone()).ok())?
    }
}

fn id(call_ref: &CallRef, n: u64) -> String {
    format!("{}:{n}", short(call_ref))
}

impl FromStr for LeftId {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let wrong = || "an id is what the list shows: a call, a colon and a number".to_owned();
        let (call, n) = typed.split_once(':').ok_or_else(wrong)?;
        Ok(Self { call: show::call_ref(call)?, n: n.parse().map_err(|_| wrong())? })
    }
}
