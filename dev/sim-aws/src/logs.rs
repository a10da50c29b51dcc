//! Logs of the children: one file per process, the cloud's own stderr, or none.

use std::collections::BTreeMap;
use std::fs::{File, create_dir_all};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;

/// Where stdout and stderr of the children go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Logs {
    /// Nowhere.
    #[default]
    Discarded,
    /// To the stderr of the process that runs the cloud.
    Inherited,
    /// To a directory: `webhook-1.log`, `webhook-2.log`, one file for each process.
    Files(PathBuf),
}

/// The log of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// The function or task definition family that wrote it.
    pub program: String,
    /// Which process of that program it was, from 1.
    pub number: usize,
    /// Where it is.
    pub path: PathBuf,
}

/// Opens a log for each process, and knows them all.
#[derive(Debug)]
pub(crate) struct LogBook {
    logs: Logs,
    opened: Mutex<Opened>,
}

#[derive(Debug, Default)]
struct Opened {
    processes: BTreeMap<String, usize>,
    files: Vec<LogFile>,
}

impl LogBook {
    pub(crate) fn new(logs: Logs) -> Self {
        Self { logs, opened: Mutex::default() }
    }

    /// Stdout and stderr for the next process of a program.
    pub(crate) fn open(&self, program: &str) -> io::Result<(Stdio, Stdio)> {
        match &self.logs {
            Logs::Discarded => Ok((Stdio::null(), Stdio::null())),
            Logs::Inherited => Ok((io::stderr().into(), io::stderr().into())),
            Logs::Files(directory) => self.open_file(directory, program),
        }
    }

    /// The logs so far, in the order the processes started.
    pub(crate) fn files(&self) -> Vec<LogFile> {
        self.opened.lock().expect("no thread panics while opening a log").files.clone()
    }

    fn open_file(&self, directory: &Path, program: &str) -> io::Result<(Stdio, Stdio)> {
        let mut opened = self.opened.lock().expect("no thread panics while opening a log");
        let number = opened.processes.get(program).copied().unwrap_or_default() + 1;
        let path = directory.join(format!("{program}-{number}.log"));
        create_dir_all(directory)?;
        let file = File::create(&path)?;
        let both = (file.try_clone()?.into(), file.into());
        opened.processes.insert(program.to_owned(), number);
        opened.files.push(LogFile { program: program.to_owned(), number, path });
        Ok(both)
    }
}
