//! The reply of one response: sentences and tool calls, and what follows the results of the tools.

use sim_audio::Clip;
use std::time::Duration;

/// What the model says at once.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// In the order they are sent.
    pub items: Vec<ReplyItem>,
    /// Said by the response that follows a `function_call_output`; without it, the reply itself is repeated.
    pub after_tool: Option<Box<Reply>>,
    /// Said instead when the output is that of this tool.
    pub after: Vec<(String, Reply)>,
    /// Why it ends in the middle of its last item, if it does.
    pub cut: Option<Cut>,
}

/// Why a response is incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// `max_output_tokens`.
    MaxOutputTokens,
    /// `content_filter`.
    ContentFilter,
}

/// One output item of a response.
#[derive(Debug, Clone)]
pub enum ReplyItem {
    /// A message, spoken.
    Speech(Clip),
    /// A message, written although sound was asked for.
    Text(Clip),
    /// A call of one of the session's tools.
    FunctionCall {
        /// The tool.
        name: String,
        /// JSON, as text.
        arguments: String,
    },
    /// A call of a tool of a remote MCP server, which the service itself makes.
    McpCall(McpCall),
}

/// A call of a tool of a remote MCP server. What it answers is spoken of by the next response, once the client asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpCall {
    /// The server, as the session names it.
    pub label: String,
    /// The tool.
    pub name: String,
    /// JSON, as text.
    pub arguments: String,
    /// What the server answers; or why it fails.
    pub answer: Result<String, String>,
    /// How long it takes. Without any time, it answers before its response is done, otherwise after.
    pub takes: Duration,
}

impl Reply {
    /// One spoken message.
    pub fn speech(clip: Clip) -> Self {
        Self { items: vec![ReplyItem::Speech(clip)], ..Self::default() }
    }

    /// One message, written although sound was asked for.
    pub fn text(clip: Clip) -> Self {
        Self { items: vec![ReplyItem::Text(clip)], ..Self::default() }
    }

    /// Nothing at all.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// A remote tool is called, and once it has answered, `after` is said.
    pub fn mcp(call: McpCall, after: Self) -> Self {
        let name = call.name.clone();
        Self::default().and(ReplyItem::McpCall(call)).then_after(&name, after)
    }

    /// Ends in the middle of its last item.
    #[must_use]
    pub fn cut_short(self, cut: Cut) -> Self {
        Self { cut: Some(cut), ..self }
    }

    pub(crate) fn written(mut self) -> Self {
        for item in &mut self.items {
            if let ReplyItem::Speech(clip) = item {
                *item = ReplyItem::Text(clip.clone());
            }
        }
        self
    }

    /// A tool is called, and once it has answered, `after` is said.
    pub fn call(name: &str, arguments: &str, after: Self) -> Self {
        Self::default().and_call(name, arguments).then(after)
    }

    /// Says something more, or calls something more, in the same response.
    #[must_use]
    pub fn and(mut self, item: ReplyItem) -> Self {
        self.items.push(item);
        self
    }

    /// Calls a tool, too, in the same response.
    #[must_use]
    pub fn and_call(self, name: &str, arguments: &str) -> Self {
        self.and(ReplyItem::FunctionCall { name: name.to_owned(), arguments: arguments.to_owned() })
    }

    /// Once a tool has answered, `after` is said.
    #[must_use]
    pub fn then(self, after: Self) -> Self {
        Self { after_tool: Some(Box::new(after)), ..self }
    }

    /// Once this tool has answered, `after` is said. When several have, the one that was named here first decides.
    #[must_use]
    pub fn then_after(mut self, tool: &str, after: Self) -> Self {
        self.after.push((tool.to_owned(), after));
        self
    }

    /// What is said once the tool has answered.
    pub(crate) fn after(&self, tool: &str) -> Option<&Self> {
        let named = self.after.iter().find(|(name, _)| name == tool).map(|(_, reply)| reply);
        named.or(self.after_tool.as_deref())
    }

    /// How early the tool was named among those that something is said after.
    pub(crate) fn rank(&self, tool: &str) -> usize {
        self.after.iter().position(|(name, _)| name == tool).unwrap_or(usize::MAX)
    }

    /// Whether it calls this function.
    pub(crate) fn calls(&self, tool: &str) -> bool {
        self.items.iter().any(|item| match item {
            ReplyItem::FunctionCall { name, .. } => name == tool,
            ReplyItem::Speech(_) | ReplyItem::Text(_) | ReplyItem::McpCall(_) => false,
        })
    }

    /// The same, without any call.
    pub(crate) fn only_spoken(mut self) -> Self {
        self.items.retain(|item| match item {
            ReplyItem::Speech(_) | ReplyItem::Text(_) => true,
            ReplyItem::FunctionCall { .. } | ReplyItem::McpCall(_) => false,
        });
        self
    }

    /// Whether it calls any function.
    pub(crate) fn has_calls(&self) -> bool {
        self.items.iter().any(|item| matches!(item, ReplyItem::FunctionCall { .. }))
    }

    /// Returns the rest of it once this many milliseconds of its n-th item were said.
    pub(crate) fn rest(&self, item: usize, said_ms: u64) -> Option<Self> {
        let ReplyItem::Speech(clip) = self.items.get(item)? else { return None };
        let at = sim_audio::samples(Duration::from_millis(said_ms)).min(clip.samples.len());
        let name = format!("{}-rest", clip.name);
        let rest = Clip { name, text: clip.text.clone(), samples: clip.samples[at..].to_vec() };
        let mut items = self.items[item..].to_vec();
        items[0] = ReplyItem::Speech(rest);
        Some(Self { items, cut: None, ..self.clone() })
    }

    /// Itself, and every reply that may follow from it.
    pub(crate) fn with_all_that_follows(&self) -> Vec<&Self> {
        let next = self.after_tool.as_deref().into_iter().chain(self.after.iter().map(|(_, reply)| reply));
        let mut all = vec![self];
        all.extend(next.flat_map(Self::with_all_that_follows));
        all
    }
}
