//! Starts the children of the cloud, each with a clean environment, and ends them.

use crate::environment::{self, ACCESS_KEY_ID, Environment};
use crate::kill_points::KillPoints;
use crate::logs::{LogBook, LogFile, Logs};
use crate::process::{Ending, Process};
use anyhow::{Context, bail};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long children may take to end when the cloud does.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) struct Processes {
    environment: Environment,
    logs: LogBook,
    ending: Ending,
    owners: TaskTracker,
    kill_points: Arc<KillPoints>,
    started: Mutex<BTreeMap<String, usize>>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Program<'a> {
    /// For messages: `function webhook`.
    pub(crate) what: &'a str,
    /// For the log's file name: `webhook`.
    pub(crate) name: &'a str,
    pub(crate) binary: &'a Path,
    pub(crate) args: &'a [String],
}

impl Processes {
    pub(crate) fn new(environment: Environment, logs: Logs, ending: Ending) -> Self {
        Self {
            environment,
            logs: LogBook::new(logs),
            ending,
            owners: TaskTracker::new(),
            kill_points: Arc::default(),
            started: Mutex::default(),
        }
    }

    /// Starts a program with the cloud's settings and its own; the cloud's win.
    pub(crate) fn start(&self, program: Program<'_>, own: &Environment) -> anyhow::Result<Process> {
        if self.is_closing() {
            bail!("cannot start {}: the cloud is ending", program.what);
        }
        program.ensure_exists()?;
        let name = self.next_name(program.name);
        let child = self.command(program, own)?.env(ACCESS_KEY_ID, &name).spawn();
        let child = child.with_context(|| format!("cannot start {}", program.what))?;
        let (process, owner) = Process::own(child, &name, self.ending.clone());
        self.owners.spawn(owner);
        self.kill_points.add_target(program.name, &process);
        tracing::debug!(pid = process.pid(), "Started {}", program.what);
        Ok(process)
    }

    fn command(&self, program: Program<'_>, own: &Environment) -> anyhow::Result<Command> {
        let mut environment = environment::inherited();
        environment.extend(own.clone());
        environment.extend(self.environment.clone());
        environment::assert_inside(&environment);
        let (stdout, stderr) = self.logs.open(program.name).context("cannot open a log")?;
        let mut command = Command::new(program.binary);
        command.args(program.args).env_clear().envs(environment);
        command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        command.process_group(0).kill_on_drop(true);
        Ok(command)
    }

    /// `webhook-1`, `webhook-2`: the access key by which the endpoint identifies the client.
    fn next_name(&self, program: &str) -> String {
        let mut started = self.started.lock().expect("no thread panics while counting");
        let number = started.entry(program.to_owned()).or_default();
        *number += 1;
        format!("{program}-{number}")
    }

    /// Where processes can be made to die.
    pub(crate) fn kill_points(&self) -> &Arc<KillPoints> {
        &self.kill_points
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.ending.closing.is_cancelled() || self.ending.over.is_cancelled()
    }

    /// Resolves when the cloud begins to end.
    pub(crate) async fn closing(&self) {
        tokio::select! {
            () = self.ending.closing.cancelled() => {}
            () = self.ending.over.cancelled() => {}
        }
    }

    /// Cancelled when nothing of this cloud is to be left.
    pub(crate) fn over(&self) -> CancellationToken {
        self.ending.over.clone()
    }

    /// Asks every child to end, waits briefly, and kills the rest.
    pub(crate) async fn end(&self) {
        self.ending.closing.cancel();
        self.owners.close();
        let _ = tokio::time::timeout(PATIENCE, self.owners.wait()).await;
        self.ending.over.cancel();
        self.owners.wait().await;
    }

    pub(crate) fn log_files(&self) -> Vec<LogFile> {
        self.logs.files()
    }
}

impl Program<'_> {
    /// Says plainly when the program has not been built.
    pub(crate) fn ensure_exists(&self) -> anyhow::Result<()> {
        if !self.binary.is_file() {
            bail!("cannot start {}: {} does not exist", self.what, self.binary.display());
        }
        Ok(())
    }
}
