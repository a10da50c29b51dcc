//! Runs one program of the product alone, with given settings.

use crate::story::programs;
use rustix::process::{Pid, Signal, kill_process};
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long a program may take to start, to print or to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program with its arguments and its whole environment.
#[derive(Debug)]
pub struct Program {
    name: &'static str,
    arguments: Vec<&'static str>,
    settings: Vec<(String, String)>,
}

/// The end of a program.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard error.
    pub stderr: String,
}

/// A running program; dropping it kills the process.
pub struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    stderr: JoinHandle<String>,
}

impl Program {
    /// A program of the product.
    pub fn named(name: &'static str) -> Self {
        Self { name, arguments: vec![], settings: vec![] }
    }

    /// `make serve`.
    pub fn serve() -> Self {
        Self::named("serve")
    }

    /// Adds an argument.
    #[must_use]
    pub fn with_argument(mut self, argument: &'static str) -> Self {
        self.arguments.push(argument);
        self
    }

    /// Adds a setting.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds settings.
    #[must_use]
    pub fn with_all(self, settings: &[(&str, &str)]) -> Self {
        settings.iter().fold(self, |program, (name, value)| program.with(name, value))
    }

    /// Runs it, and waits for its end.
    pub async fn run(self) -> Ended {
        self.start().await.ends().await
    }

    /// Starts it.
    pub async fn start(self) -> Running {
        let mut command = Command::new(programs().await.path(self.name));
        command.args(self.arguments).env_clear().envs(self.settings).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the program can be started");
        let stdout = child.stdout.take().expect("it is piped");
        let mut stderr = child.stderr.take().expect("it is piped");
        // From the beginning: a program may wait for a full pipe to be read.
        let stderr = tokio::spawn(async move {
            let mut text = String::new();
            stderr.read_to_string(&mut text).await.expect("it writes text");
            text
        });
        Running { child, lines: BufReader::new(stdout).lines(), stderr }
    }
}

impl Running {
    /// Waits for a line of standard output that begins with `word`, and returns the rest of it.
    pub async fn says(&mut self, word: &str) -> String {
        let search = async {
            loop {
                let line =
                    self.lines.next_line().await.expect("its output is text").expect("it has not ended");
                if let Some(rest) = line.strip_prefix(word) {
                    return rest.trim().to_owned();
                }
            }
        };
        timeout(PATIENCE, search).await.unwrap_or_else(|_| panic!("it never said {word}"))
    }

    /// Sends it SIGINT, as Ctrl-C does.
    pub fn interrupt(&self) {
        let pid = self.child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        kill_process(pid.expect("it has not ended"), Signal::INT).expect("it is ours to interrupt");
    }

    /// Waits for its end.
    pub async fn ends(mut self) -> Ended {
        let ending = async {
            let code = self.child.wait().await.expect("it can be waited for").code();
            Ended { code, stderr: self.stderr.await.expect("it was read") }
        };
        timeout(PATIENCE, ending).await.expect("the program ends")
    }

    /// Returns the pids of its living children.
    pub fn children(&self) -> Vec<u32> {
        let parent = self.child.id().expect("it has not ended");
        let processes = std::fs::read_dir("/proc").expect("this is Linux").filter_map(|entry| {
            let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
            stat(pid).filter(|stat| stat.parent == parent).map(|_| pid)
        });
        processes.collect()
    }
}

/// Whether a process runs. A zombie does not.
pub fn is_alive(pid: u32) -> bool {
    stat(pid).is_some_and(|stat| stat.state != 'Z')
}

/// Returns an address of 127.0.0.1 at which nothing listens.
pub fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it is bound")
}

struct Stat {
    state: char,
    parent: u32,
}

/// Of `/proc/<pid>/stat`; the name before it may hold anything but ends with the last bracket.
fn stat(pid: u32) -> Option<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    Some(Stat { state: fields.next()?.chars().next()?, parent: fields.next()?.parse().ok()? })
}
