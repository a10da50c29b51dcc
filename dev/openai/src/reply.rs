//! What the model says in one response: sentences and calls of tools, and what it says once the tools have answered.

use tone::Clip;

/// What the model says at once.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// In the order they are sent.
    pub items: Vec<ReplyItem>,
    /// Said by the response that follows a `function_call_output`; without it, the reply itself is repeated.
    pub after_tool: Option<Box<Reply>>,
    /// Said instead when the output is that of this tool.
    pub after: Vec<(String, Reply)>,
}

/// One output item of a response.
#[derive(Debug, Clone)]
pub enum ReplyItem {
    /// A message, spoken.
    Speech(Clip),
    /// A call of one of the session's tools.
    FunctionCall {
        /// The tool.
        name: String,
        /// JSON, as text.
        arguments: String,
    },
    /// A call of a tool of a remote MCP server, which the service itself makes.
    McpCall {
        /// The server, as the session names it.
        label: String,
        /// The tool.
        name: String,
        /// JSON, as text.
        arguments: String,
        /// What the server answers.
        output: String,
    },
}

impl Reply {
    /// One spoken message.
    pub fn speech(clip: Clip) -> Self {
        Self { items: vec![ReplyItem::Speech(clip)], ..Self::default() }
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
            ReplyItem::Speech(_) | ReplyItem::McpCall { .. } => false,
        })
    }

    /// The same, without any call.
    pub(crate) fn only_spoken(mut self) -> Self {
        self.items.retain(|item| match item {
            ReplyItem::Speech(_) => true,
            ReplyItem::FunctionCall { .. } | ReplyItem::McpCall { .. } => false,
        });
        self
    }

    /// Itself, and every reply that may follow from it.
    pub(crate) fn with_all_that_follows(&self) -> Vec<&Self> {
        let next = self.after_tool.as_deref().into_iter().chain(self.after.iter().map(|(_, reply)| reply));
        let mut all = vec![self];
        all.extend(next.flat_map(Self::with_all_that_follows));
        all
    }
}
