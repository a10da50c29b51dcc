//! Why the tools of an agent file cannot be used.

/// Why an agent's tools cannot be used. The messages name tools, secrets and headers, and hold no values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ToolConfigError {
    #[error("tool `{tool}` needs the secret `{secret}`, which is missing or empty")]
    Secret { tool: String, secret: String },
    #[error("tool `{tool}`: its parameters are not a JSON Schema, or refer to a remote one")]
    Parameters { tool: String },
    #[error("tool `{tool}`: its URL may have placeholders only in its path, each one of its parameters")]
    Url { tool: String },
    #[error("tool `{tool}`: the header `{header}` is not one that may be set, or its value is not valid")]
    Header { tool: String, header: String },
    #[error("the HTTP client cannot be made: {reason}")]
    Https { reason: String },
}
