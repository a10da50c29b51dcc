//! A third-party caller as a process that speaks lines of JSON.

use super::{Cell, Maker};
use anyhow::{Context, bail};
use local::root;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Where `scripts/interop-tools.sh` installs what the callers are made of.
const PYTHON: &str = "target/interop/bin/python";

/// A caller's process. It ends when this is dropped.
pub(super) struct Process {
    child: Child,
    commands: ChildStdin,
    events: Lines<BufReader<ChildStdout>>,
    /// Events that were not waited for yet, and when they came.
    unseen: Vec<(Instant, Value)>,
}

impl Process {
    /// Starts the caller of a cell. It tells its `offer` by itself.
    pub(super) fn start(cell: Cell, log: &Path) -> anyhow::Result<Self> {
        let program = match cell.maker {
            Maker::Aiortc => "aiortc_caller.py",
            Maker::Chromium => "chromium_caller.py",
            Maker::Str0mLite | Maker::Str0mFull => bail!("{} is no process", cell.maker),
        };
        let mut child = Command::new(root().join(PYTHON))
            .arg(root().join("dev/suites/callers").join(program))
            .arg(cell.family.ip().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(log)?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("no {PYTHON}: scripts/interop-tools.sh installs it"))?;
        let commands = child.stdin.take().expect("its input is piped");
        let events = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        Ok(Self { child, commands, events, unseen: Vec::new() })
    }

    pub(super) async fn ask(&mut self, command: Value) -> anyhow::Result<()> {
        self.commands.write_all(format!("{command}\n").as_bytes()).await.context("the caller is gone")
    }

    /// Returns the first event of this name that was not waited for yet, and when it came.
    pub(super) async fn event(&mut self, name: &str, within: Duration) -> anyhow::Result<(Instant, Value)> {
        let waiting = async {
            loop {
                if let Some(n) = self.unseen.iter().position(|(_, event)| event["event"] == name) {
                    return anyhow::Ok(self.unseen.remove(n));
                }
                let line = self.events.next_line().await?;
                let line = line.with_context(|| format!("the caller was gone before {name:?}"))?;
                self.unseen.push((Instant::now(), serde_json::from_str(&line)?));
            }
        };
        let waited = tokio::time::timeout(within, waiting).await;
        waited.with_context(|| format!("waited {within:?} in vain for the caller's {name:?}"))?
    }

    /// Tells it that the suite is done with it, and waits until it is gone.
    pub(super) async fn end(mut self, within: Duration) {
        drop(self.commands);
        if tokio::time::timeout(within, self.child.wait()).await.is_err() {
            tracing::warn!("A caller's process had to be killed");
        }
    }

    /// Says a clip; returns when its last sample left.
    pub(super) async fn say(&mut self, wav: &Path, within: Duration) -> anyhow::Result<()> {
        self.ask(json!({ "do": "say", "wav": wav })).await?;
        self.event("said", within).await.map(drop)
    }
}
