//! Remote MCP servers: their tools are listed when a session names them, and called by the service itself.

use super::Session;
use super::pending::{FollowUp, RemoteCall};
use crate::McpCall;
use crate::plan::Opening;
use serde_json::{Value, json};

impl Session {
    /// Lists the tools of every server that is new to the session.
    pub(super) fn list_tools(&mut self) {
        let servers = self.servers().filter(|server| !self.listed.contains(&label(server)));
        for server in servers.cloned().collect::<Vec<_>>() {
            self.listed.push(label(&server));
            self.list_tools_of(&server);
        }
    }

    /// A script may call only what the session has, and no one approves calls.
    pub(super) fn check_tool(&mut self, opening: &Opening) {
        let complaint = match opening {
            Opening::Call(name) if !self.settings.has_tool(name) => {
                format!("the script calls {name}, which is none of the session's tools")
            }
            Opening::Mcp(McpCall { label: wanted, name, .. }) => {
                match self.servers().find(|server| label(server) == *wanted) {
                    None => format!("the script calls {wanted}, which is none of the session's servers"),
                    Some(server) if server["require_approval"] != "never" => {
                        format!("{wanted} asks for approval, which no one gives in a call")
                    }
                    Some(server) if allowed(server).is_some_and(|allowed| !allowed.contains(name)) => {
                        format!("the script calls {name}, which {wanted} may not be asked for")
                    }
                    Some(_) => return,
                }
            }
            Opening::Call(_) | Opening::Speech(_) | Opening::Text => return,
        };
        self.note_violation(complaint);
    }

    fn list_tools_of(&mut self, server: &Value) {
        let label = label(server);
        let names = allowed(server).unwrap_or_else(|| self.config.script.tools_of(&label));
        let tool = |name: &String| {
            let description = format!("{name} of {label}");
            json!({"name": name, "description": description, "input_schema": {"type": "object"}})
        };
        let tools: Vec<Value> = names.iter().map(tool).collect();
        let id = self.new_id("item");
        let previous = self.conversation.last_id().map(str::to_owned);
        let list = |tools: &[Value]| json!({"id": id, "type": "mcp_list_tools", "server_label": label, "tools": tools});
        let (begun, done) = (list(&[]), list(&tools));
        self.conversation.push(crate::conversation::Item::new(done.clone()));
        self.send_all(vec![
            json!({"type": "conversation.item.added", "previous_item_id": previous, "item": begun}),
            json!({"type": "mcp_list_tools.in_progress", "item_id": id}),
        ]);
        if self.config.script.unlisted.contains(&label) {
            return self.send(json!({"type": "mcp_list_tools.failed", "item_id": id}));
        }
        self.send_all(vec![
            json!({"type": "mcp_list_tools.completed", "item_id": id}),
            json!({"type": "conversation.item.done", "previous_item_id": previous, "item": done}),
        ]);
    }

    /// The service calls a remote tool: in its own time, and says nothing of what it answers unless it is asked to.
    pub(super) fn call_remote(&mut self, index: usize, call: &McpCall) {
        self.report.mcp_calls.push(format!("{}.{}", call.label, call.name));
        let response = &mut self.responses[index];
        let (item, output_index) = response.answer_mcp();
        let follow_up = FollowUp::of(&response.reply, &call.name);
        let is_at_once = call.takes.is_zero();
        if is_at_once {
            response.note_answered();
        }
        let (due, fails) = (self.now + call.takes, call.answer.is_err());
        self.remote_calls.push(RemoteCall { due, item, output_index, fails, follow_up });
        if is_at_once {
            self.end_remote_call(self.remote_calls.len() - 1);
        }
    }

    /// A remote tool answers.
    pub(super) fn end_remote_call(&mut self, index: usize) {
        let RemoteCall { item, output_index, fails, follow_up, .. } = self.remote_calls.remove(index);
        let id = item["id"].as_str().unwrap_or_default().to_owned();
        if let Some(kept) = self.conversation.get_mut(&id) {
            kept.json = item.clone();
        }
        self.answered.push(follow_up);
        let kind = if fails { "response.mcp_call.failed" } else { "response.mcp_call.completed" };
        self.send(json!({"type": kind, "item_id": id, "output_index": output_index}));
        self.send(json!({"type": "conversation.item.done", "item": item}));
    }

    fn servers(&self) -> impl Iterator<Item = &Value> {
        let tools = self.settings.json()["tools"].as_array().into_iter().flatten();
        tools.filter(|tool| tool["type"] == "mcp")
    }
}

fn label(server: &Value) -> String {
    server["server_label"].as_str().unwrap_or_default().to_owned()
}

/// The tools the session may use of a server; `None`: all.
fn allowed(server: &Value) -> Option<Vec<String>> {
    let names =
        server["allowed_tools"].as_array().or_else(|| server["allowed_tools"]["tool_names"].as_array())?;
    Some(names.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}
