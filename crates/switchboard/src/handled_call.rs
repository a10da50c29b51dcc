//! A call while one invocation handles it: its record, and what the invocation resolves for it, each read once.

use crate::{ResolvedAgent, Switchboard};
use call::TaskId;
use std::sync::Arc;
use store::lease::Lease;
use store::{NumberSettings, OutboxItem, StoredCall};
use tokio::sync::OnceCell;

/// A loaded call, with the settings of its number, its agent and the lease of its task as far as they are resolved.
///
/// A failed read is not kept: the next use reads again.
pub(crate) struct HandledCall {
    pub(crate) record: Box<StoredCall>,
    settings: OnceCell<NumberSettings>,
    own_agent: OnceCell<Arc<ResolvedAgent>>,
    chosen_agent: OnceCell<Arc<ResolvedAgent>>,
    lease: Option<Lease>,
    /// The outcome for the business that was saved with the call's end.
    pub(crate) saved_outcome: Option<OutboxItem>,
}

impl HandledCall {
    /// Returns a call of which nothing is resolved yet.
    pub(crate) fn new(record: Box<StoredCall>) -> Self {
        let (own_agent, chosen_agent) = (OnceCell::new(), OnceCell::new());
        let settings = OnceCell::new();
        Self { record, settings, own_agent, chosen_agent, lease: None, saved_outcome: None }
    }

    /// Keeps the lease of the task that the call is assigned to. Address and certificate of a task never change.
    pub(crate) fn keep_lease(&mut self, lease: Lease) {
        self.lease = Some(lease);
    }
}

impl Switchboard {
    /// Returns the settings of the call's number.
    pub(crate) async fn number_settings<'a>(
        &self,
        handled: &'a HandledCall,
    ) -> anyhow::Result<&'a NumberSettings> {
        Ok(handled.settings.get_or_try_init(|| self.store.number(&handled.record.number)).await?)
    }

    /// Returns the agent that takes the call: the one that the business's lookup chose, else the number's own.
    pub(crate) async fn agent_of<'a>(
        &self,
        handled: &'a HandledCall,
    ) -> anyhow::Result<&'a Arc<ResolvedAgent>> {
        let Some(name) = handled.record.chosen_agent() else { return self.own_agent_of(handled).await };
        let resolve = || async {
            match self.stored_agent(name).await? {
                Some(agent) => Ok(agent),
                None => self.own_agent_of(handled).await.cloned(),
            }
        };
        handled.chosen_agent.get_or_try_init(resolve).await
    }

    /// Returns the agent of the call's number.
    pub(crate) async fn own_agent_of<'a>(
        &self,
        handled: &'a HandledCall,
    ) -> anyhow::Result<&'a Arc<ResolvedAgent>> {
        let resolve = || async { self.resolve_agent(self.number_settings(handled).await?).await };
        handled.own_agent.get_or_try_init(resolve).await
    }

    /// Drops what is known of the caller once the number's agent is resolved, unless its file asks for it, during the call or after. The
    /// agent of a call that has ended is resolved for that: nothing may be saved afterwards.
    pub(crate) async fn drop_unneeded_details(&self, handled: &mut HandledCall) {
        if handled.record.details.is_none() {
            return;
        }
        if handled.record.call.has_ended()
            && let Err(error) = self.own_agent_of(handled).await
        {
            let call_ref = handled.record.call_ref();
            tracing::error!(
                %call_ref,
                "cannot read the agent of a call that has ended, what is known of its caller is kept with it: {error:#}"
            );
        }
        let Some(own) = handled.own_agent.get().map(|own| &own.agent) else { return };
        let tells_caller = own.after.as_ref().is_some_and(|after| after.tells_caller);
        if !own.needs_caller_details() && !tells_caller {
            handled.record.details = None;
        }
    }

    /// Returns the lease of a task: the one that it was assigned by, else the one in the table; `None` when it has none any more.
    pub(crate) async fn lease_of(
        &self,
        handled: &HandledCall,
        task: &TaskId,
    ) -> anyhow::Result<Option<Lease>> {
        match handled.lease.as_ref().filter(|lease| lease.task == *task) {
            Some(lease) => Ok(Some(lease.clone())),
            None => Ok(self.store.lease(task).await?),
        }
    }
}
