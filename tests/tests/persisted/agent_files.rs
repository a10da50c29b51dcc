//! Agent files: every key and word of them, and what they are read as.

use crate::held::{hold_texts, lines, path};
use agents::{
    After, Agent, Caps, Extract, Greeting, HttpTool, Interruption, Keeping, Keypad, Limits, Lookup,
    McpServer, Messages, Tools, Transfer, Words,
};
use serde_json::{Value, json};
use std::fs;

/// Every table, with a key that does not exist: the error lists those that do.
const TABLES: [&str; 20] = [
    "",
    "[greeting]",
    "[model]",
    "[model.turn_detection]\ntype = \"server_vad\"",
    "[model.turn_detection]\ntype = \"semantic_vad\"",
    "[model.transcription]",
    "[interruption]",
    "[keypad]",
    "[limits]",
    "[tools]",
    "[[tools.http]]",
    "[[tools.mcp]]",
    "[transfer]",
    "[lookup]",
    "[after]",
    "[after.extract]",
    "[hours]",
    "[messages]",
    "[caps]",
    "[keeping]",
];

#[test]
fn agent_files_are_read_as_before() {
    let files = fs::read_dir(path("agents")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    assert!(files.len() >= 5, "{files:?}");
    let held = lines("agents.tsv");
    for file in files {
        let agent = Agent::read(&fs::read_to_string(&file).unwrap());
        let agent = agent.unwrap_or_else(|wrong| panic!("{}: {wrong}", file.display()));
        let name = file.file_stem().unwrap().to_string_lossy();
        let held = held.iter().find(|(held, _)| *held == name);
        let as_read = as_read(&agent);
        let (_, line) = held.unwrap_or_else(|| panic!("add to agents.tsv:\n{name}\t{as_read}"));
        let held: Value = serde_json::from_str(line).unwrap();
        assert!(has(&as_read, &held), "{name} is read as\n{as_read}\nand was read as\n{line}");
    }
}

#[test]
fn agent_files_keep_every_key_and_four_files_use_them_all() {
    let of_table = |table: &str| {
        let name = table.replace('\n', " ");
        keys(table).into_iter().map(move |key| (format!("{name} {key}").trim().to_owned(), key))
    };
    let keys: Vec<_> = TABLES.iter().flat_map(|table| of_table(table)).collect();
    let used = ["every-key.toml", "semantic.toml", "transfer.toml", "before-and-after.toml"]
        .map(|file| fs::read_to_string(path("agents").join(file)).unwrap());
    let used = used.concat();
    for (_, key) in &keys {
        let written = [format!("{key} = "), format!("[{key}]"), format!(".{key}]")];
        assert!(written.iter().any(|written| used.contains(written)), "no file uses {key}");
    }
    hold_texts("agent-keys.tsv", keys);
}

/// Whether all of `before` is in `now`: an option that is newer may be there as well.
fn has(now: &Value, before: &Value) -> bool {
    match (now, before) {
        (Value::Object(now), Value::Object(before)) => {
            before.iter().all(|(key, value)| now.get(key).is_some_and(|now| has(now, value)))
        }
        (Value::Array(now), Value::Array(before)) => {
            now.len() == before.len() && now.iter().zip(before).all(|(now, before)| has(now, before))
        }
        (now, before) => now == before,
    }
}

/// The keys that a table may have, as the reader names them.
fn keys(table: &str) -> Vec<String> {
    let reason = Agent::read(&format!("{table}\nzzzzzzzzzzzz = 1\n")).unwrap_err().reason;
    assert!(reason.contains("unknown key; expected"), "{table}: {reason}");
    reason.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn as_read(agent: &Agent) -> Value {
    let Agent {
        name,
        language,
        instructions,
        disclosure,
        greeting,
        model,
        interruption,
        keypad,
        limits,
        tools,
        lookup,
        after: outcomes,
        hours,
        messages,
        caps,
        keeping,
    } = agent;
    let Greeting { words: says, interruptible } = greeting;
    let Interruption { guard, after, echo_gate_dbfs, keys } = interruption;
    let Keypad { pause, end, longest, sensitive } = keypad;
    let Messages { closed, busy, lost, spent, too_many_calls } = messages;
    let Keeping { transcripts, days } = keeping;
    json!({
        "name": name,
        "language": language,
        "instructions": instructions,
        "disclosure": disclosure,
        "greeting": {"words": words(says), "interruptible": interruptible},
        "model": model,
        "interruption": {"guard_ms": guard.as_millis(), "after_ms": after.as_millis(), "echo_gate_dbfs": echo_gate_dbfs, "keys": keys},
        "keypad": {"pause_ms": pause.as_millis(), "end": end, "longest": longest, "sensitive": sensitive},
        "limits": limits_as_read(limits),
        "tools": tools_as_read(tools),
        "lookup": lookup.as_ref().map(lookup_as_read),
        "after": outcomes.as_ref().map(after_as_read),
        "open": hours.as_ref().map(|hours| open_hours(|at| hours.is_open(at))),
        "messages": {"closed": closed, "busy": busy, "lost": lost, "spent": spent, "too_many_calls": too_many_calls},
        "caps": caps_as_read(caps),
        "keeping": {"transcripts": transcripts, "days": days},
    })
}

fn words(words: &Words) -> Value {
    match words {
        Words::Exact(text) => json!({"say": text}),
        Words::Prompt(text) => json!({"prompt": text}),
    }
}

fn limits_as_read(limits: &Limits) -> Value {
    let Limits { longest, goodbye, silence, nudge, nudges } = limits;
    json!({"longest_s": longest.as_secs(), "goodbye": words(goodbye), "silence_s": silence.as_secs(), "nudge": words(nudge), "nudges": nudges})
}

fn tools_as_read(tools: &Tools) -> Value {
    let Tools {
        end_call,
        send_whatsapp_message,
        take_message,
        request_callback,
        transfer,
        allowed_hosts,
        http,
        mcp,
    } = tools;
    json!({
        "end_call": end_call,
        "send_whatsapp_message": send_whatsapp_message,
        "take_message": take_message,
        "request_callback": request_callback,
        "transfer": transfer.as_ref().map(transfer_as_read),
        "allowed_hosts": allowed_hosts,
        "http": http.iter().map(http_tool).collect::<Vec<_>>(),
        "mcp": mcp.iter().map(mcp_server).collect::<Vec<_>>(),
    })
}

fn transfer_as_read(transfer: &Transfer) -> Value {
    let Transfer { target, when, a_day } = transfer;
    json!({"target": target.as_str(), "kind": target.kind(), "when": when, "a_day": a_day})
}

fn lookup_as_read(lookup: &Lookup) -> Value {
    let Lookup { url, sign_with, timeout, may_override } = lookup;
    json!({"url": url.as_str(), "sign_with": sign_with, "timeout_ms": timeout.as_millis(), "may_override": may_override})
}

fn after_as_read(after: &After) -> Value {
    let After { url, sign_with, on, transcript, tells_caller, extract } = after;
    let extract = extract.as_ref().map(|extract| {
        let Extract { model, summary, properties } = extract;
        json!({"model": model, "summary": summary, "properties": properties, "schema": extract.schema()})
    });
    json!({
        "url": url.as_str(),
        "sign_with": sign_with,
        "on": on.iter().map(|event| event.as_str()).collect::<Vec<_>>(),
        "transcript": transcript,
        "tells_caller": tells_caller,
        "extract": extract,
    })
}

fn http_tool(tool: &HttpTool) -> Value {
    let HttpTool {
        name,
        description,
        method,
        url,
        parameters,
        timeout,
        headers,
        sign_with,
        tells_caller,
        largest_reply,
    } = tool;
    json!({
        "name": name,
        "description": description,
        "method": format!("{method:?}").to_uppercase(),
        "url": url.as_str(),
        "parameters": parameters,
        "timeout_ms": timeout.as_millis(),
        "headers": headers,
        "sign_with": sign_with,
        "tells_caller": tells_caller,
        "largest_reply_bytes": largest_reply,
    })
}

fn mcp_server(server: &McpServer) -> Value {
    let McpServer { label, url, description, authorization_with, allowed_tools } = server;
    json!({
        "label": label,
        "url": url.as_str(),
        "description": description,
        "authorization_with": authorization_with,
        "allowed_tools": allowed_tools,
    })
}

fn caps_as_read(caps: &Caps) -> Value {
    let Caps {
        dollars_a_day,
        calls_an_hour,
        messages_a_call,
        messages_an_hour,
        tools_a_call,
        tools_an_hour,
        notices_an_hour,
    } = caps;
    json!({
        "dollars_a_day": dollars_a_day,
        "calls_an_hour": calls_an_hour,
        "messages_a_call": messages_a_call,
        "messages_an_hour": messages_an_hour,
        "tools_a_call": tools_a_call,
        "tools_an_hour": tools_an_hour,
        "notices_an_hour": notices_an_hour,
    })
}

/// The half hours from Monday, 2026-12-21, to the Sunday after in which it is open: a line for each day in UTC.
fn open_hours(is_open: impl Fn(u64) -> bool) -> Vec<String> {
    const MONDAY: u64 = 1_797_811_200_000;
    const HALF_HOUR: u64 = 30 * 60 * 1_000;
    let of_day = |day: u64| {
        let half_hours = (0..48).map(move |half_hour| MONDAY + (day * 48 + half_hour) * HALF_HOUR);
        half_hours.map(|at| if is_open(at) { '#' } else { '.' }).collect()
    };
    (0..7).map(of_day).collect()
}
