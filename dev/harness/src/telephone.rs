//! The SIP line of a testbed: a trunk at the simulated OpenAI, whose webhook is the product's.

use local::Stack;
use local::stack::SipConfig;
use sim_openai::Realtime;
use sim_openai::sip::{CallSpec, WebhookEndpoint};
use store::StoredAgent;

/// What signs OpenAI's events in a testbed.
pub const WEBHOOK_SECRET: &str = "whsec_YWhveS10ZXN0LXNlY3JldC0wMTIzNDU2Nzg5YWJjZGVm";

/// The key of the testbed's trunk, which stands in the header `X-Ahoy-Key` of each call.
pub const TRUNK_KEY: &str = "trunk-key-of-a-rehearsal";

/// The country code of both numbers.
pub const COUNTRY: &str = "+356";

/// The caller's number.
pub const CALLER: &str = "+35699000001";

/// The number that is dialled.
pub const DIALLED: &str = "+35621000000";

/// The name of the dialled number, under which it stands in logs and lists.
pub const NUMBER: &str = "malta";

/// Returns a call to the named number with the trunk's key.
pub fn spec() -> CallSpec {
    CallSpec::new(CALLER, DIALLED).header("X-Ahoy-Key", TRUNK_KEY)
}

/// Where an agent with [`transfer_section`] transfers calls to.
pub const TRANSFER_TARGET: &str = "tel:+35621000001";

/// Returns the section of an agent's file that lets it transfer calls.
pub fn transfer_section() -> String {
    format!("\n[transfer]\ntarget = \"{TRANSFER_TARGET}\"\n")
}

/// The configuration of a testbed's SIP line.
#[derive(Debug, Clone)]
pub struct TelephoneLine {
    /// The key that the product requires of a trunk; empty: none is configured.
    pub trunk_key: String,
}

impl Default for TelephoneLine {
    fn default() -> Self {
        Self { trunk_key: TRUNK_KEY.to_owned() }
    }
}

impl TelephoneLine {
    /// The product's settings of the line, with OpenAI simulated by this model.
    pub(crate) fn settings(&self, model: &Realtime) -> SipConfig {
        let url = model.rest_url();
        SipConfig {
            webhook_secret: WEBHOOK_SECRET.into(),
            trunk_key: self.trunk_key.clone().into(),
            openai_url: Some(url.strip_suffix("/v1").unwrap_or(&url).to_owned()),
        }
    }

    /// Has OpenAI send its events to the product, which knows the dialled number.
    pub(crate) async fn connect(stack: &Stack, model: &Realtime, agent: &str) -> anyhow::Result<()> {
        let agent = StoredAgent::new(NUMBER, agent, 0);
        stack.store.put_agent(&agent).await?;
        stack.store.name_dialled(DIALLED.trim_start_matches('+'), &NUMBER.into()).await?;
        stack.store.assign(&NUMBER.into(), &agent.name).await?;
        let url = format!("{}openai", stack.cloud.function_url("webhook"));
        model.trunk().add_endpoint(WebhookEndpoint::on_loopback(url, WEBHOOK_SECRET))?;
        Ok(())
    }
}
