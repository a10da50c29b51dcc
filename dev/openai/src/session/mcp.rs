//! Remote MCP servers: their tools are listed when a session names them, and called by the service itself.

use super::Session;
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

    /// A script may call only what the session has, and nobody is there to approve of a call.
    pub(super) fn check_tool(&mut self, opening: &Opening) {
        let complaint = match opening {
            Opening::Call(name) if !self.settings.has_tool(name) => {
                format!("the script calls {name}, which is none of the session's tools")
            }
            Opening::Mcp { label: wanted, name, .. } => {
                match self.servers().find(|server| label(server) == *wanted) {
                    None => format!("the script calls {wanted}, which is none of the session's servers"),
                    Some(server) if server["require_approval"] != "never" => {
                        format!("{wanted} asks for approval, which nobody gives in a call")
                    }
                    Some(server) if allowed(server).is_some_and(|allowed| !allowed.contains(name)) => {
                        format!("the script calls {name}, which {wanted} may not be asked for")
                    }
                    Some(_) => return,
                }
            }
            Opening::Call(_) | Opening::Speech(_) | Opening::Text => return,
        };
        self.fault(complaint);
    }

    fn list_tools_of(&mut self, server: &Value) {
        let label = label(server);
        let names = allowed(server).unwrap_or_else(|| self.config.script.tools_of(&label));
        let tool = |name: &String| {
            let description = format!("{name} of {label}");
            json!({"name": name, "description": description, "input_schema": {"type": "object"}})
        };
        let tools: Vec<Value> = names.iter().map(tool).collect();
        let id = self.random.id("item");
        let previous = self.conversation.last_id().map(str::to_owned);
        let list = |tools: &[Value]| json!({"id": id, "type": "mcp_list_tools", "server_label": label, "tools": tools});
        let (begun, done) = (list(&[]), list(&tools));
        self.conversation.push(crate::conversation::Item::new(done.clone()));
        self.send_all(vec![
            json!({"type": "conversation.item.added", "previous_item_id": previous, "item": begun}),
            json!({"type": "mcp_list_tools.in_progress", "item_id": id}),
            json!({"type": "mcp_list_tools.completed", "item_id": id}),
            json!({"type": "conversation.item.done", "previous_item_id": previous, "item": done}),
        ]);
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
