//! What an agent may still do in a call that reaches outside it, and for its caller within the hour.

use agents::Caps;
use ledger::{Action, Ledger};
use service::time::now_ms;
use std::time::Duration;
use tools::{Outcome, Refused, Trouble, Use};

/// How long the table may take to count an action: the caller waits for it.
const COUNT_TAKES: Duration = Duration::from_secs(1);

/// How much of a call's budgets is left.
#[derive(Debug)]
pub(super) struct Budget {
    caps: Caps,
    messages: u32,
    tools: u32,
}

/// What may be done for one caller within the hour.
pub(super) struct OfHour {
    pub(super) ledger: Ledger,
    pub(super) number: String,
    /// The caller's mark; without one nothing is counted.
    pub(super) caller: Option<String>,
    pub(super) action: Action,
    pub(super) most: u32,
}

impl Budget {
    pub(super) fn new(caps: Caps) -> Self {
        Self { caps, messages: 0, tools: 0 }
    }

    /// Takes one use out of the call's budget.
    ///
    /// # Errors
    /// When nothing is left of it.
    pub(super) fn take(&mut self, asked: &Use) -> Result<(), Refused> {
        let Some(action) = action(asked) else { return Ok(()) };
        let (used, most) = match action {
            Action::Message => (&mut self.messages, self.caps.messages_a_call),
            Action::Tool | Action::Notice => (&mut self.tools, self.caps.tools_a_call),
        };
        if *used >= most {
            return Err(refused(action, Trouble::CallBudget));
        }
        *used += 1;
        Ok(())
    }

    /// Takes a tool that the model's provider has called already.
    pub(super) fn take_hosted(&mut self) {
        self.tools += 1;
    }

    /// The most of such uses for one caller within the hour, and as what they count.
    pub(super) fn of_hour(&self, asked: &Use) -> Option<(Action, u32)> {
        let action = action(asked)?;
        Some(match action {
            Action::Message => (action, self.caps.messages_an_hour),
            Action::Tool | Action::Notice => (action, self.caps.tools_an_hour),
        })
    }
}

impl OfHour {
    /// Counts one use. A table that cannot say how many there were refuses nothing.
    ///
    /// # Errors
    /// When there were as many as may be.
    pub(super) async fn take(&self) -> Result<(), Outcome> {
        let Some(mark) = &self.caller else { return Ok(()) };
        let counting = self.ledger.may_act(&self.number, mark, self.action, self.most, now_ms());
        let action = self.action.name();
        match tokio::time::timeout(COUNT_TAKES, counting).await {
            Ok(Ok(true)) => return Ok(()),
            Ok(Ok(false)) => return Err(refused(self.action, Trouble::HourBudget).into()),
            Ok(Err(error)) => tracing::error!(action, "An action is done without a budget: {error:#}"),
            Err(_) => tracing::error!(action, "An action is done without a budget: the table is slow"),
        }
        Ok(())
    }
}

/// As what a use counts: hanging up is free.
fn action(asked: &Use) -> Option<Action> {
    match asked {
        Use::EndCall => None,
        Use::SendMessage { .. } => Some(Action::Message),
        Use::TakeMessage(_) | Use::RequestCallback(_) | Use::Http(_) => Some(Action::Tool),
    }
}

fn refused(action: Action, trouble: Trouble) -> Refused {
    let of = if trouble == Trouble::CallBudget { "in this call" } else { "for this caller within the hour" };
    let for_the_model = match action {
        Action::Message => format!(
            "Not sent: as many messages as are allowed were sent {of}. Do not try again. Say the important part slowly instead."
        ),
        Action::Tool | Action::Notice => format!(
            "Not done: tools were used as often as is allowed {of}. Do not try again, make up no answer, and tell the caller in plain \
             words that you cannot do it now."
        ),
    };
    Refused { trouble, for_the_model }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_sends_as_many_messages_as_its_file_allows() {
        let mut budget = Budget::new(Caps { messages_a_call: 2, tools_a_call: 0, ..Caps::default() });
        let message = Use::SendMessage { text: "Hello".into() };

        let taken = [(); 3].map(|()| budget.take(&message));

        assert!(taken[0].is_ok() && taken[1].is_ok());
        let refused = taken[2].as_ref().expect_err("there were two");
        assert_eq!(refused.trouble, Trouble::CallBudget);
        assert!(refused.for_the_model.contains("in this call"), "{}", refused.for_the_model);
        assert!(budget.take(&Use::EndCall).is_ok(), "hanging up is free");
        assert_eq!(budget.of_hour(&message), Some((Action::Message, 10)));
    }
}
