//! The options that name the parts of a SIP line.

use clap::Args;

/// The options of the SIP line.
#[derive(Debug, Clone, Args)]
pub(crate) struct SipArgs {
    /// The secret of the SIP line, by name or ARN [default: the stack's, such as ahoy/line].
    #[arg(long, env = "LINE_SECRET", value_name = "SECRET")]
    line_secret: Option<String>,
    /// OpenAI's API, for calls by SIP and webhooks [default: where the Realtime API is].
    #[arg(long, env = "OPENAI_URL", value_name = "URL")]
    openai_url: Option<String>,
    /// The SIP server that the trunk calls [default: the one beside OpenAI's API, sip.api.openai.com:5061].
    #[arg(long, env = "SIP_SERVER", value_name = "HOST:PORT")]
    sip_server: Option<String>,
}

impl SipArgs {
    pub(crate) fn line_secret(&self) -> Option<&str> {
        given(self.line_secret.as_ref())
    }

    pub(crate) fn openai_url(&self) -> Option<&str> {
        given(self.openai_url.as_ref())
    }

    pub(crate) fn sip_server(&self) -> Option<&str> {
        given(self.sip_server.as_ref())
    }
}

fn given(option: Option<&String>) -> Option<&str> {
    option.map(|option| option.trim()).filter(|option| !option.is_empty())
}
