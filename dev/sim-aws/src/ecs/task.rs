//! One task, and its way from PROVISIONING to STOPPED.

use super::last_status::LastStatus;
use super::protection::Protection;
use crate::config::Service;
use crate::environment::Environment;
use crate::identity::arn;
use crate::process::Process;
use std::process::ExitStatus;
use std::time::SystemTime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A task as a rehearsal sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskStatus {
    /// Its full name.
    pub arn: String,
    /// The last part of its ARN.
    pub id: String,
    /// The service that keeps it; none when `RunTask` started it.
    pub service: Option<String>,
    /// The family of its task definition.
    pub family: String,
    /// The revision of its task definition.
    pub revision: usize,
    /// Its process, running or ended.
    pub pid: Option<u32>,
    /// Where it stands.
    pub last_status: LastStatus,
    /// Whether scale-in spares it now.
    pub protected: bool,
    /// The request of `RunTask`.
    pub started_by: Option<String>,
    /// Why it stopped or stops.
    pub stopped_reason: Option<String>,
    /// What its process ended with; 128 + the signal's number when a signal ended it.
    pub exit_code: Option<i32>,
}

/// Who stopped a task (`stopCode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StopCode {
    UserInitiated,
    ServiceSchedulerInitiated,
    SpotInterruption,
    EssentialContainerExited,
    TaskFailedToStart,
}

#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) service: Option<String>,
    pub(super) family: String,
    pub(super) revision: usize,
    pub(super) container: String,
    pub(super) started_by: Option<String>,
    pub(super) group: Option<String>,
    pub(super) overrides: Environment,
    pub(super) last_status: LastStatus,
    pub(super) created: SystemTime,
    pub(super) started: Option<SystemTime>,
    pub(super) stopping: Option<SystemTime>,
    pub(super) stopped: Option<SystemTime>,
    pub(super) stop: Option<(StopCode, String)>,
    /// Cancelled when the task is asked to stop.
    pub(super) asked_to_stop: CancellationToken,
    pub(super) protection: Protection,
    pub(super) process: Option<Process>,
    pub(super) exit_code: Option<i32>,
    /// How often it changed its state (`version`), and the state published last.
    pub(super) version: u64,
    pub(super) reported: Option<(LastStatus, bool)>,
}

impl Task {
    /// A task that `RunTask` starts from a definition.
    pub(super) fn standalone(cluster: &str, definition: &Service) -> Self {
        let id = Uuid::new_v4().simple().to_string();
        Self {
            arn: arn("ecs", &format!("task/{cluster}/{id}")),
            id,
            service: None,
            family: definition.family.clone(),
            revision: 1,
            container: definition.container.clone(),
            started_by: None,
            group: None,
            overrides: Environment::new(),
            last_status: LastStatus::Provisioning,
            created: SystemTime::now(),
            started: None,
            stopping: None,
            stopped: None,
            stop: None,
            asked_to_stop: CancellationToken::new(),
            protection: Protection::default(),
            process: None,
            exit_code: None,
            version: 0,
            reported: None,
        }
    }

    pub(super) fn of_service(cluster: &str, service: &Service) -> Self {
        Self {
            service: Some(service.name.clone()),
            group: Some(format!("service:{}", service.name)),
            started_by: Some(format!("ecs-svc/{}", service.name)),
            ..Self::standalone(cluster, service)
        }
    }

    /// The id its container has in the task's own metadata.
    pub(super) fn container_id(&self) -> String {
        format!("{}-0000000001", self.id)
    }

    /// Whether it is meant to run (`desiredStatus`).
    pub(super) fn is_wanted(&self) -> bool {
        self.stop.is_none()
    }

    /// Whether its state differs from the one published last.
    pub(super) fn has_news(&self) -> bool {
        self.reported != Some((self.last_status, self.is_wanted()))
    }

    pub(super) fn count_news(&mut self) {
        self.reported = Some((self.last_status, self.is_wanted()));
        self.version += 1;
    }

    pub(super) fn has_started(&mut self, process: Process, now: SystemTime) {
        self.process = Some(process);
        self.started = Some(now);
        if self.is_wanted() {
            self.last_status = LastStatus::Running;
        }
    }

    /// The first reason to stop stays.
    pub(super) fn ask_to_stop(&mut self, code: StopCode, reason: &str) {
        if !self.is_wanted() {
            return;
        }
        self.stop = Some((code, reason.to_owned()));
        self.stopping = Some(SystemTime::now());
        self.last_status = LastStatus::Stopping;
        self.asked_to_stop.cancel();
    }

    /// Its process ended, or will never start.
    pub(super) fn has_stopped(&mut self, exit: Option<ExitStatus>, now: SystemTime) {
        self.stop.get_or_insert_with(|| {
            (StopCode::EssentialContainerExited, "Essential container in task exited".to_owned())
        });
        self.exit_code = exit.map(exit_code);
        self.stopping.get_or_insert(now);
        self.stopped = Some(now);
        self.last_status = LastStatus::Stopped;
    }

    /// Whether scale-in spares it.
    pub(super) fn is_protected(&self, now: SystemTime) -> bool {
        self.protection.expires(now).is_some()
    }

    pub(super) fn status(&self) -> TaskStatus {
        TaskStatus {
            arn: self.arn.clone(),
            id: self.id.clone(),
            service: self.service.clone(),
            family: self.family.clone(),
            revision: self.revision,
            pid: self.process.as_ref().map(Process::pid),
            last_status: self.last_status,
            protected: self.is_protected(SystemTime::now()),
            started_by: self.started_by.clone(),
            stopped_reason: self.stop.as_ref().map(|(_, reason)| reason.clone()),
            exit_code: self.exit_code,
        }
    }
}

impl TaskStatus {
    /// Whether this is the task with that id or ARN.
    pub fn is(&self, id_or_arn: &str) -> bool {
        self.id == id_or_arn || self.arn == id_or_arn
    }
}

/// As a shell and a container runtime count: 128 and the signal.
fn exit_code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}
