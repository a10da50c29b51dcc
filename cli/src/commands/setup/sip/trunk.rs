//! Says what a trunk needs: where it calls, which headers each call has, and how to prove it.

use crate::sip_line::SipLine;
use serde::Serialize;
use std::fmt;

/// What stands for a project that was not named.
const PROJECT: &str = "PROJECT";

/// Where OpenAI's SIP server is when it is not known which one.
const SERVER: &str = "sip.api.openai.com:5061";

/// What an operator must set at the trunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Trunk {
    /// Where the trunk sends its calls.
    sip_uri: String,
    #[serde(skip)]
    server: String,
}

impl Trunk {
    pub(super) fn of(line: &SipLine, project: Option<&str>) -> Self {
        let server = line.addresses.sip_server.clone().unwrap_or_else(|_| SERVER.to_owned());
        let project = project.map(str::trim).filter(|project| !project.is_empty()).unwrap_or(PROJECT);
        Self { sip_uri: format!("sip:{project}@{server};transport=tls"), server }
    }
}

impl fmt::Display for Trunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sip_uri, server } = self;
        writeln!(f)?;
        writeln!(f, "The trunk calls {sip_uri}")?;
        if sip_uri.contains(PROJECT) {
            writeln!(f, "  PROJECT is the template's SipProject (--project prints it here)")?;
        }
        writeln!(
            f,
            "  by TLS 1.2 or later, with SRTP keyed by SDES (AES_CM_128_HMAC_SHA1_80) and G.711 at 20 ms"
        )?;
        writeln!(f, "Each call has these headers; the edge of infra/sip sets them, by its settings.cfg:")?;
        writeln!(f, "  X-Ahoy-Key      the trunk's key")?;
        writeln!(f, "  X-Ahoy-Dialled  the dialled number, +E.164")?;
        writeln!(f, "Then:")?;
        writeln!(f, "  1. ahoy agents push FILE --number +… --as NAME gives each number its agent")?;
        writeln!(f, "  2. on the edge: openssl s_client -connect {server} -brief")?;
        writeln!(f, "  3. ahoy doctor: every sip-… is ok")?;
        write!(f, "  4. call, and prove the trunk step by step: docs/sip.md")
    }
}
