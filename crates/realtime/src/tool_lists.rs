//! Which MCP servers of a link have listed their tools.

use crate::ItemId;
use std::collections::{HashMap, HashSet};

/// The MCP servers of a link, and which of them have listed their tools.
#[derive(Debug, Default)]
pub(crate) struct ToolLists {
    /// The server labels, by the id of their listing's item.
    pub labels: HashMap<ItemId, String>,
    pub settled: HashSet<String>,
    /// The servers whose listing failed, which the agent does not know yet.
    pub unreported: Vec<String>,
}

impl ToolLists {
    pub(crate) fn settle(&mut self, item: &ItemId) -> Option<&String> {
        let label = self.labels.get(item)?;
        self.settled.insert(label.clone());
        Some(label)
    }

    /// Records that a server's tools cannot be listed. Without a label for the item, the servers that have not listed theirs are meant.
    pub(crate) fn fail(&mut self, item: &ItemId, servers: &[String]) {
        let server = self.settle(item).cloned().unwrap_or_else(|| {
            let open = servers.iter().filter(|server| !self.settled.contains(*server));
            open.map(String::as_str).collect::<Vec<_>>().join(", ")
        });
        self.settled.insert(server.clone());
        self.unreported.push(server);
    }
}
