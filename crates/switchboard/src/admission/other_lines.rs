//! Counts a person's calls on other lines: the hourly cap holds for a person, and a person has the same number on each line.

use crate::Switchboard;
use crate::handled_call::HandledCall;
use call::NumberId;
use futures_util::future::try_join_all;
use std::collections::{BTreeMap, BTreeSet};

impl Switchboard {
    /// Returns how many calls the caller made on other lines, to numbers with the same agent, within the hour before this one.
    pub(super) async fn calls_on_other_lines(&self, handled: &HandledCall) -> anyhow::Result<usize> {
        let call = &handled.record.call;
        if self.lines.iter().all(|line| *line == call.line) {
            return Ok(0);
        }
        let names = self.names_on_all_lines(handled).await?;
        let found = names.iter().map(|name| self.store.calls_on_other_lines(name, call.line, call.rang_at.0));
        let found = try_join_all(found).await?.into_iter().flatten();
        // A call is listed under each of its caller's names.
        let calls: BTreeMap<_, _> = found.map(|call| (call.call_ref.clone(), call.number)).collect();
        let agents = calls.values().cloned().collect::<BTreeSet<_>>();
        let agents =
            try_join_all(agents.into_iter().map(|number| self.has_agent_of(handled, number))).await?;
        let counted: BTreeSet<_> = agents.into_iter().flatten().collect();
        Ok(calls.values().filter(|number| counted.contains(number)).count())
    }

    /// Returns the caller's pseudonyms: those of this call, and what their first is linked to, since a caller on WhatsApp may hide the number
    /// that a telephone call shows.
    async fn names_on_all_lines(&self, handled: &HandledCall) -> anyhow::Result<BTreeSet<String>> {
        let mut names: BTreeSet<_> =
            self.control_api.pseudonyms(&handled.record.caller()).into_iter().collect();
        if let Some(first) = self.control_api.pseudonym(&handled.record.caller()) {
            names.extend(self.store.other_pseudonyms(&first).await?);
        }
        Ok(names)
    }

    /// Returns a number if its agent is that of the call.
    async fn has_agent_of(
        &self,
        handled: &HandledCall,
        number: NumberId,
    ) -> anyhow::Result<Option<NumberId>> {
        let own = self.number_settings(handled).await?.agent.as_ref();
        let other = self.store.number(&number).await?.agent;
        Ok((own.is_some() && own == other.as_ref()).then_some(number))
    }
}
