//! Kills a program at a chosen step of its own work: when a request arrives, or once it took effect.

use crate::process::Process;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio_util::sync::CancellationToken;

/// A step of a program, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Its n-th request to AWS, from 1: of a function since its invocation began, of a task since it started.
    ///
    /// What a function asks while it starts is not counted, so that n is the same in a cold and in a warm process.
    Request(usize),
    /// Its next request of this `service.Action`, such as `dynamodb.TransactWriteItems`, asked while it starts or later.
    Action(String),
    /// A function's reply to its invocation.
    Reply,
}

/// When in that step the program dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// As soon as the request arrived: it has no effect.
    Arrived,
    /// Once the request took effect, before the program learns of it.
    TookEffect,
}

/// A trap that was set. It snaps once; until then it stays, though this handle be dropped.
#[derive(Debug, Clone)]
pub struct Trap {
    traps: Arc<Traps>,
    snare: Arc<Snare>,
}

impl Trap {
    /// Whether a program has stepped into it.
    pub fn has_snapped(&self) -> bool {
        self.snare.met.load(Ordering::Acquire)
    }

    /// Resolves once a program has stepped into it and is gone.
    pub async fn snapped(&self) {
        self.snare.gone.cancelled().await;
    }

    /// Takes it away.
    pub fn disarm(&self) {
        self.traps.lock().snares.retain(|snare| !Arc::ptr_eq(snare, &self.snare));
    }
}

/// The traps that are set, and the processes that may step into them.
#[derive(Debug, Default)]
pub(crate) struct Traps {
    ground: Mutex<Ground>,
}

#[derive(Debug, Default)]
struct Ground {
    snares: Vec<Arc<Snare>>,
    walkers: BTreeMap<String, Walker>,
}

#[derive(Debug)]
struct Snare {
    program: String,
    step: Step,
    cut: Cut,
    met: AtomicBool,
    gone: CancellationToken,
}

#[derive(Debug)]
struct Walker {
    program: String,
    process: Process,
    /// How many requests it has made in its present work; none while it starts.
    requests: Option<usize>,
}

/// A trap that snaps now.
#[derive(Debug)]
pub(crate) struct Snap {
    process: Process,
    snare: Arc<Snare>,
}

impl Traps {
    /// Sets a trap for any process of a program.
    pub(crate) fn set(self: &Arc<Self>, program: &str, step: Step, cut: Cut) -> Trap {
        let snare = Arc::new(Snare {
            program: program.to_owned(),
            step,
            cut,
            met: AtomicBool::new(false),
            gone: CancellationToken::new(),
        });
        self.lock().snares.push(snare.clone());
        Trap { traps: self.clone(), snare }
    }

    /// A process has started, and asks under its name from now on.
    pub(crate) fn enlist(&self, program: &str, process: &Process) {
        let walkers = &mut self.lock().walkers;
        walkers.retain(|_, walker| walker.process.is_alive());
        let walker = Walker { program: program.to_owned(), process: process.clone(), requests: None };
        walkers.insert(process.name().to_owned(), walker);
    }

    /// A process begins new work: its requests count from one.
    pub(crate) fn begin(&self, process: &Process) {
        if let Some(walker) = self.lock().walkers.get_mut(process.name()) {
            walker.requests = Some(0);
        }
    }

    /// Called for each request. Requests of unknown processes trigger no kill point.
    pub(crate) fn request(&self, asker: &str, action: &str) -> Option<Snap> {
        let ground = &mut *self.lock();
        let walker = ground.walkers.get_mut(asker)?;
        walker.requests = walker.requests.map(|requests| requests + 1);
        let requests = walker.requests;
        ground.snap(asker, |step| match step {
            Step::Request(nth) => requests == Some(*nth),
            Step::Action(name) => name == action,
            Step::Reply => false,
        })
    }

    /// A function replies.
    pub(crate) fn reply(&self, process: &Process) -> Option<Snap> {
        self.lock().snap(process.name(), |step| *step == Step::Reply)
    }

    fn lock(&self) -> MutexGuard<'_, Ground> {
        self.ground.lock().expect("no thread panics while holding the traps")
    }
}

impl Ground {
    fn snap(&mut self, asker: &str, is_there: impl Fn(&Step) -> bool) -> Option<Snap> {
        let Walker { program, process, .. } = self.walkers.get(asker)?;
        let met = self.snares.iter().position(|snare| snare.program == *program && is_there(&snare.step))?;
        let snare = self.snares.remove(met);
        snare.met.store(true, Ordering::Release);
        Some(Snap { process: process.clone(), snare })
    }
}

impl Snap {
    /// Does `deed`, or not, and kills the process before it learns what came of it.
    pub(crate) async fn around<T>(self, deed: impl Future<Output = T>) -> Option<T> {
        let done = match self.snare.cut {
            Cut::Arrived => None,
            Cut::TookEffect => Some(deed.await),
        };
        // The request ends with the process that made it, and who waits for that process must not end with the request.
        let killing = tokio::spawn(async move {
            tracing::info!("Killed {} at {:?}, {:?}", self.process.name(), self.snare.step, self.snare.cut);
            self.process.kill();
            self.process.exited().await;
            self.snare.gone.cancel();
        });
        killing.await.expect("killing does not panic");
        done
    }
}
