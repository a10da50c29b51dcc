//! Kills a program at a chosen step of its work: when its request arrives, or once the request took effect.

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
pub enum KillMoment {
    /// As soon as the request arrived: it has no effect.
    Arrived,
    /// Once the request took effect, before the program learns of it.
    TookEffect,
}

/// A kill point that was set. It kills once; until then it stays, even when this handle is dropped.
#[derive(Debug, Clone)]
pub struct KillPoint {
    armed: Arc<ArmedKill>,
}

impl KillPoint {
    /// Returns whether a program has reached it.
    pub fn was_hit(&self) -> bool {
        self.armed.is_hit.load(Ordering::Acquire)
    }

    /// Resolves once a program has reached it and is dead.
    pub async fn hit(&self) {
        self.armed.dead.cancelled().await;
    }
}

/// The kill points that are set, and the processes that may reach them.
#[derive(Debug, Default)]
pub(crate) struct KillPoints {
    state: Mutex<KillState>,
}

#[derive(Debug, Default)]
struct KillState {
    armed: Vec<Arc<ArmedKill>>,
    targets: BTreeMap<String, Target>,
}

#[derive(Debug)]
struct ArmedKill {
    program: String,
    step: Step,
    moment: KillMoment,
    is_hit: AtomicBool,
    dead: CancellationToken,
}

#[derive(Debug)]
struct Target {
    program: String,
    process: Process,
    /// How many requests it has made in its present work; none while it starts.
    requests: Option<usize>,
}

/// A process that dies now.
#[derive(Debug)]
pub(crate) struct Kill {
    process: Process,
    armed: Arc<ArmedKill>,
}

impl KillPoints {
    /// Sets a kill point for any process of a program.
    pub(crate) fn set(&self, program: &str, step: Step, moment: KillMoment) -> KillPoint {
        let armed = Arc::new(ArmedKill {
            program: program.to_owned(),
            step,
            moment,
            is_hit: AtomicBool::new(false),
            dead: CancellationToken::new(),
        });
        self.lock().armed.push(armed.clone());
        KillPoint { armed }
    }

    /// Adds a process that has started; its requests come under its name.
    pub(crate) fn add_target(&self, program: &str, process: &Process) {
        let targets = &mut self.lock().targets;
        targets.retain(|_, target| target.process.is_alive());
        let target = Target { program: program.to_owned(), process: process.clone(), requests: None };
        targets.insert(process.name().to_owned(), target);
    }

    /// A process begins new work: its requests count from one.
    pub(crate) fn begin(&self, process: &Process) {
        if let Some(target) = self.lock().targets.get_mut(process.name()) {
            target.requests = Some(0);
        }
    }

    /// Called for each request. Requests of unknown processes trigger no kill point.
    pub(crate) fn request(&self, client: &str, action: &str) -> Option<Kill> {
        let state = &mut *self.lock();
        let target = state.targets.get_mut(client)?;
        target.requests = target.requests.map(|requests| requests + 1);
        let requests = target.requests;
        state.kill(client, |step| match step {
            Step::Request(nth) => requests == Some(*nth),
            Step::Action(name) => name == action,
            Step::Reply => false,
        })
    }

    /// A function replies.
    pub(crate) fn reply(&self, process: &Process) -> Option<Kill> {
        self.lock().kill(process.name(), |step| *step == Step::Reply)
    }

    fn lock(&self) -> MutexGuard<'_, KillState> {
        self.state.lock().expect("no thread panics while holding the kill points")
    }
}

impl KillState {
    fn kill(&mut self, client: &str, is_there: impl Fn(&Step) -> bool) -> Option<Kill> {
        let Target { program, process, .. } = self.targets.get(client)?;
        let hit = self.armed.iter().position(|armed| armed.program == *program && is_there(&armed.step))?;
        let armed = self.armed.remove(hit);
        armed.is_hit.store(true, Ordering::Release);
        Some(Kill { process: process.clone(), armed })
    }
}

impl Kill {
    /// Runs `request`, or not, and kills the process before it learns the outcome.
    pub(crate) async fn around<T>(self, request: impl Future<Output = T>) -> Option<T> {
        let done = match self.armed.moment {
            KillMoment::Arrived => None,
            KillMoment::TookEffect => Some(request.await),
        };
        // The request ends with the process that made it, and who waits for that process must not end with the request.
        let killing = tokio::spawn(async move {
            tracing::info!(
                "Killed {} at {:?}, {:?}",
                self.process.name(),
                self.armed.step,
                self.armed.moment
            );
            self.process.kill();
            self.process.exited().await;
            self.armed.dead.cancel();
        });
        killing.await.expect("killing does not panic");
        done
    }
}
