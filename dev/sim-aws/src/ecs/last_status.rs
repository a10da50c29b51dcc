//! The statuses of a task, as ECS names them.

use strum::IntoStaticStr;

/// Where a task stands (`lastStatus`). ECS has some more that pass quickly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr)]
#[strum(serialize_all = "UPPERCASE")]
pub enum LastStatus {
    /// It has no process yet.
    Provisioning,
    /// Its process runs.
    Running,
    /// Its process was asked to end.
    Stopping,
    /// It has no process any more.
    Stopped,
}

impl LastStatus {
    /// As ECS writes it.
    pub(super) fn name(self) -> &'static str {
        self.into()
    }
}
