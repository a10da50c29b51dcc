//! The registry of media tasks: who takes calls, and where their doors are.

use crate::items::{from_item, text};
use anyhow::Context;
use aws_sdk_dynamodb::Client;
use protocol::keys;
use protocol::lease::Lease;
use std::cmp::Reverse;

/// The table, as far as it holds media tasks.
#[derive(Debug, Clone)]
pub struct Registry {
    client: Client,
    table: String,
}

impl Registry {
    /// The media tasks in `table`.
    pub fn new(client: Client, table: &str) -> Self {
        Self { client, table: table.to_owned() }
    }

    /// The tasks that say they take calls.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn ready(&self) -> anyhow::Result<Vec<Lease>> {
        let query = self.client.query().table_name(&self.table).index_name(keys::INDEX);
        let found = query
            .key_condition_expression("#pk = :ready")
            .expression_attribute_names("#pk", "gsi1pk")
            .expression_attribute_values(":ready", text(keys::READY))
            .send()
            .await
            .context("cannot ask which media tasks are ready")?;
        found.items.unwrap_or_default().into_iter().map(from_item).collect()
    }

    /// The lease of a task, if it has one.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn lease(&self, task: &str) -> anyhow::Result<Option<Lease>> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let get = get.key("pk", text(keys::task(task))).key("sk", text(keys::LEASE));
        let item = get.send().await.context("cannot read a media task's lease")?.item;
        item.map(from_item).transpose()
    }
}

/// The task that gets the call: the fullest that is not crowded, so that empty ones can leave; else the emptiest.
/// Not one of those in `refused`.
pub fn choose(leases: Vec<Lease>, refused: &[String], now_ms: u64) -> Option<Lease> {
    let (crowded, roomy): (Vec<_>, Vec<_>) = leases
        .into_iter()
        .filter(|lease| lease.takes_calls(now_ms) && !refused.contains(&lease.task))
        .partition(Lease::is_crowded);
    let fullest = roomy.into_iter().max_by_key(|lease| (lease.used, Reverse(lease.task.clone())));
    fullest.or_else(|| crowded.into_iter().min_by_key(|lease| (lease.used, lease.task.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000;

    #[test]
    fn the_fullest_task_with_room_gets_the_call() {
        let leases = vec![lease("empty", 0), lease("busy", 5), lease("crowded", 9)];

        assert_eq!(chosen(leases, &[]), Some("busy".into()));
    }

    #[test]
    fn crowded_tasks_take_calls_when_nobody_else_does_and_full_ones_never() {
        let leases = vec![lease("crowded", 9), lease("less", 8), lease("full", 10)];

        assert_eq!(chosen(leases, &[]), Some("less".into()));
        assert_eq!(chosen(vec![lease("full", 10)], &[]), None);
    }

    #[test]
    fn a_lapsed_a_draining_and_a_refusing_task_get_nothing() {
        let lapsed = Lease { until_ms: NOW, ..lease("lapsed", 0) };
        let draining = Lease { gsi1pk: None, ..lease("draining", 0) };

        assert_eq!(chosen(vec![lapsed, draining, lease("refused", 0)], &["refused".into()]), None);
    }

    fn chosen(leases: Vec<Lease>, refused: &[String]) -> Option<String> {
        choose(leases, refused, NOW).map(|lease| lease.task)
    }

    fn lease(task: &str, used: u64) -> Lease {
        Lease {
            pk: keys::task(task),
            sk: keys::LEASE.into(),
            gsi1pk: Some(keys::READY.into()),
            gsi1sk: Some(keys::sortable(used)),
            task: task.into(),
            door: "127.0.0.1:1".into(),
            pin: String::new(),
            revision: "1".into(),
            slots: 10,
            used,
            until_ms: NOW + 1,
        }
    }
}
