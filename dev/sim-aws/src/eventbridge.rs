//! EventBridge: invokes functions when tasks change their state, and when a schedule is due.

mod schedule;

use crate::config::{Rule, Schedule};
use crate::ecs::StateChange;
use crate::lambda::Lambda;
use anyhow::ensure;
use schedule::RunningSchedule;
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How the events of tasks reach functions. EventBridge promises each at least once, in no order, and mostly keeps that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Delivery {
    /// Once, at once.
    #[default]
    Prompt,
    /// Once, after this delay.
    Late(Duration),
    /// Twice, the same event.
    Twice,
    /// Not at all.
    Never,
}

/// The rules, the schedules, and the functions they invoke.
#[derive(Debug)]
pub(crate) struct EventBridge {
    lambda: Arc<Lambda>,
    rules: Vec<Rule>,
    running: Vec<Arc<RunningSchedule>>,
}

#[derive(Debug)]
pub(crate) struct StateChanges {
    published: UnboundedSender<(StateChange, Delivery)>,
    delivery: Mutex<Delivery>,
}

impl StateChanges {
    /// Returns the publisher, and the receiver for EventBridge.
    pub(crate) fn new() -> (Arc<Self>, UnboundedReceiver<(StateChange, Delivery)>) {
        let (published, received) = unbounded_channel();
        (Arc::new(Self { published, delivery: Mutex::default() }), received)
    }

    /// Publishes a change. How it is delivered is decided when it happens, not when it is delivered.
    pub(crate) fn publish(&self, change: StateChange) {
        // A cloud that has shut down sends no events.
        let _ = self.published.send((change, *self.delivery()));
    }

    /// Sets how changes from now on are delivered.
    pub(crate) fn deliver(&self, delivery: Delivery) {
        *self.delivery() = delivery;
    }

    fn delivery(&self) -> MutexGuard<'_, Delivery> {
        self.delivery.lock().expect("no thread panics while holding it")
    }
}

impl EventBridge {
    /// Starts the schedules, and delivers changes until the cloud is over.
    ///
    /// # Errors
    /// When a rule or a schedule names a function that does not exist, or a schedule is due all the time.
    pub(crate) fn start(
        rules: Vec<Rule>,
        schedules: Vec<Schedule>,
        lambda: Arc<Lambda>,
        changes: UnboundedReceiver<(StateChange, Delivery)>,
        over: CancellationToken,
    ) -> anyhow::Result<Arc<Self>> {
        let scheduled = schedules.iter().map(|schedule| &schedule.function);
        for function in rules.iter().map(|rule| &rule.function).chain(scheduled) {
            ensure!(
                lambda.has(function),
                "EventBridge is to invoke {function}, but there is no function {function}"
            );
        }
        let due_always = schedules.iter().find(|schedule| schedule.every.is_zero());
        ensure!(due_always.is_none(), "a schedule must leave some time in between");
        let running =
            schedules.into_iter().map(|schedule| Arc::new(RunningSchedule::new(schedule))).collect();
        let bridge = Arc::new(Self { lambda, rules, running });
        for running in &bridge.running {
            tokio::spawn(running.clone().run(bridge.lambda.clone(), over.clone()));
        }
        tokio::spawn(over.run_until_cancelled_owned(bridge.clone().listen(changes)));
        Ok(bridge)
    }

    pub(crate) fn enable_schedule(&self, function: &str, enabled: bool) -> anyhow::Result<()> {
        schedule::of(&self.running, function)?.enable(enabled);
        Ok(())
    }

    /// Invokes a scheduled function now, and returns when it has handled that.
    pub(crate) async fn run_schedule(&self, function: &str) -> anyhow::Result<()> {
        schedule::of(&self.running, function)?.fire(&self.lambda).await
    }

    async fn listen(self: Arc<Self>, mut published: UnboundedReceiver<(StateChange, Delivery)>) {
        while let Some((change, delivery)) = published.recv().await {
            let matching = self.rules.iter().filter(|rule| rule.matches(change.last_status));
            matching.for_each(|rule| self.deliver(&rule.function, &change.event, delivery));
        }
    }

    fn deliver(&self, function: &str, event: &Value, delivery: Delivery) {
        match delivery {
            Delivery::Prompt => self.send(function, event, Duration::ZERO),
            Delivery::Late(after) => self.send(function, event, after),
            Delivery::Twice => [(); 2].into_iter().for_each(|()| self.send(function, event, Duration::ZERO)),
            Delivery::Never => tracing::info!(function, "A state change is lost on its way to {function}"),
        }
    }

    fn send(&self, function: &str, event: &Value, after: Duration) {
        let (lambda, function, event) = (self.lambda.clone(), function.to_owned(), event.clone());
        tokio::spawn(async move {
            sleep(after).await;
            lambda.deliver(&function, &event).await.expect("rules were checked at the start");
        });
    }
}
