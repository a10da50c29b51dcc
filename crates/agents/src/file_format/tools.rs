//! The `[tools]` table.

use super::{http_tool, mcp_server};
use crate::error::{Fault, quoted};
use crate::rules::at_most;
use serde::Deserialize;
use std::collections::BTreeSet;

const BUILT_IN: [&str; 4] = ["end_call", "send_whatsapp_message", "take_message", "request_callback"];

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Tools {
    end_call: bool,
    send_whatsapp_message: bool,
    take_message: bool,
    request_callback: bool,
    allowed_hosts: Vec<String>,
    http: Vec<http_tool::HttpToolToml>,
    mcp: Vec<mcp_server::McpServerToml>,
}

impl Default for Tools {
    fn default() -> Self {
        Self {
            end_call: true,
            send_whatsapp_message: true,
            take_message: true,
            request_callback: true,
            allowed_hosts: vec![],
            http: vec![],
            mcp: vec![],
        }
    }
}

impl Tools {
    pub(super) fn resolve(self, transfer: Option<crate::Transfer>) -> Result<crate::Tools, Fault> {
        at_most("tools.http", self.http.len(), 32)?;
        at_most("tools.mcp", self.mcp.len(), 16)?;
        let allowed_hosts = hosts(&self.allowed_hosts)?;
        let names = self.http.iter().map(|tool| tool.name.as_str());
        // A file without a transfer may have a tool of its own by that name.
        let taken = BUILT_IN.iter().copied().chain(transfer.iter().map(|_| crate::TRANSFER_CALL));
        unique("tools.http", "name", names, &taken.collect::<Vec<_>>())?;
        unique("tools.mcp", "label", self.mcp.iter().map(|server| server.label.as_str()), &[])?;
        let http = self.http.into_iter().enumerate();
        let http = http.map(|(index, tool)| tool.resolve(&format!("tools.http[{index}]"), &allowed_hosts));
        let mcp = self.mcp.into_iter().enumerate();
        let mcp = mcp.map(|(index, server)| server.resolve(&format!("tools.mcp[{index}]")));
        Ok(crate::Tools {
            end_call: self.end_call,
            send_whatsapp_message: self.send_whatsapp_message,
            take_message: self.take_message,
            request_callback: self.request_callback,
            transfer,
            http: http.collect::<Result<_, _>>()?,
            mcp: mcp.collect::<Result<_, _>>()?,
            allowed_hosts,
        })
    }
}

fn hosts(written: &[String]) -> Result<Vec<String>, Fault> {
    let host = |(index, text): (usize, &String)| {
        let is_bare = |host: &String| !host.contains('*');
        let host = url::Host::parse(text).ok().map(|host| host.to_string()).filter(is_bare);
        host.ok_or_else(|| {
            let field = format!("tools.allowed_hosts[{index}]");
            Fault::new(field, "must be the name of one host, without scheme, port or path: \"shop.example\"")
        })
    };
    written.iter().enumerate().map(host).collect()
}

fn unique<'a>(
    table: &str,
    key: &str,
    names: impl Iterator<Item = &'a str>,
    taken: &[&'a str],
) -> Result<(), Fault> {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for (index, name) in names.enumerate() {
        let field = format!("{table}[{index}].{key}");
        if taken.contains(&name) {
            return Err(Fault::new(field, format!("{} is the name of a built-in tool", quoted(name))));
        }
        if !seen.insert(name) {
            return Err(Fault::new(field, format!("{} is used twice", quoted(name))));
        }
    }
    Ok(())
}
