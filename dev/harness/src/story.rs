//! A testbed for stories: places calls with or without injected faults, watches them, and kills processes.

mod caller;
mod conversation;
mod program_logs;
mod telephone_caller;

pub use caller::{Afterwards, Caller};
pub use conversation::{looking_up, looks_up, monologue_of, using};
pub use telephone_caller::{AfterTelephone, TelephoneCaller};

use crate::privacy_scan;
use crate::program::{Ended, Program};
use crate::raw_webhook::RawWebhook;
use crate::telephone::TelephoneLine;
use crate::testbed::{Testbed, TestbedConfig};
use local::{Binaries, eventually, root};
use rustix::process::{Pid, Signal, kill_process};
use sim_meta::{ActionName, CallerConfig, Event, InjectedFault, Observation, ObservationKind};
use sim_openai::Script;
use sim_openai::sip::Action;
use std::fs::Permissions;
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;

/// A webhook URL at which nothing listens.
const NOWHERE: &str = "http://127.0.0.1:1/webhook";

/// What a story waits for happens within this.
const PATIENCE: Duration = Duration::from_secs(40);

/// Builds a story. By default the model talks about bicycles, and nothing goes wrong.
#[derive(Debug, Clone)]
pub struct StoryBuilder {
    testbed: TestbedConfig,
    replaced: Vec<(&'static str, PathBuf)>,
    wrapped: Option<Wrapped>,
}

/// A program that is started by a script, which prints a line first.
#[derive(Debug, Clone)]
struct Wrapped {
    name: &'static str,
    says_first: String,
}

impl Default for StoryBuilder {
    fn default() -> Self {
        Self::rehearsed().scripted(Script::about_bikes())
    }
}

/// A running testbed, with everything it has observed. Dropping it ends the processes.
pub struct Story {
    testbed: Arc<Testbed>,
    seen: Mutex<mpsc::UnboundedReceiver<Observation>>,
    remembered: Mutex<Vec<Observation>>,
}

/// Tells whether a planned kill has happened.
#[derive(Debug, Clone, Default)]
pub struct Kill(Arc<AtomicBool>);

impl StoryBuilder {
    /// A story with an injected fault.
    pub fn with_fault(fault: &str) -> Self {
        let fault = fault.parse().expect("the story names a fault that there is");
        let mut story = Self::default();
        story.testbed.inject(fault);
        story
    }

    /// The testbed of `make call`.
    pub fn rehearsed() -> Self {
        let mut testbed = TestbedConfig::rehearsal(folder());
        // However busy the machine of the tests is: no task refuses a call for it.
        let never_overloaded = [("AHOY_LATEST_MS".to_owned(), "1000".to_owned())].into();
        testbed.more.insert("media-task".to_owned(), never_overloaded);
        Self { testbed, replaced: vec![], wrapped: None }
    }

    /// Sets what the model says.
    #[must_use]
    pub fn scripted(self, script: Script) -> Self {
        self.with_model(|model| model.script = script)
    }

    /// Changes the model's configuration.
    #[must_use]
    pub fn with_model(mut self, change: impl FnOnce(&mut sim_openai::Config)) -> Self {
        change(&mut self.testbed.model);
        self
    }

    /// Uses the model at this URL.
    #[must_use]
    pub fn with_model_at(mut self, url: String) -> Self {
        self.testbed.model_url = Some(url);
        self
    }

    /// Sets the agent file's text.
    #[must_use]
    pub fn with_agent(mut self, file: &str) -> Self {
        self.testbed.agent = file.to_owned();
        self
    }

    /// Appends sections to the agent file.
    #[must_use]
    pub fn with_agent_also(mut self, sections: &str) -> Self {
        self.testbed.agent += sections;
        self
    }

    /// Has the agent ask the business who is calling, greet by name, and tell the outcome. The script must be set before.
    #[must_use]
    pub fn knowing_callers(mut self) -> Self {
        self.testbed = self.testbed.knowing_callers();
        self
    }

    /// Has a text model extract fields for the outcome. The agent must know its callers.
    #[must_use]
    pub fn extracting(mut self) -> Self {
        self.testbed = self.testbed.extracting();
        self
    }

    /// Has the product take calls on the SIP line.
    #[must_use]
    pub fn with_telephone(self) -> Self {
        self.with_telephone_as(TelephoneLine::default())
    }

    /// Has the product take calls on this SIP line.
    #[must_use]
    pub fn with_telephone_as(mut self, line: TelephoneLine) -> Self {
        self.testbed.telephone = Some(line);
        self
    }

    /// Replaces a line of the agent file.
    #[must_use]
    pub fn with_agent_but(mut self, line: &str, instead: &str) -> Self {
        assert!(self.testbed.agent.contains(line), "the agent's file has no {line:?}");
        self.testbed.agent = self.testbed.agent.replacen(line, instead, 1);
        self
    }

    /// Sets how long calls may ring.
    #[must_use]
    pub fn ringing_for(mut self, seconds: u64) -> Self {
        self.testbed.ring_seconds = Some(seconds);
        self
    }

    /// Sets the clock of a program's host ahead by some seconds; behind, when below zero.
    #[must_use]
    pub fn with_clock_of(mut self, program: &str, seconds_ahead: i64) -> Self {
        let settings = crate::clock_skew::ahead_by(seconds_ahead).expect("make test installs libfaketime");
        self.testbed.more.entry(program.to_owned()).or_default().extend(settings);
        self
    }

    /// Sets an environment variable of a program.
    #[must_use]
    pub fn with_setting_of(mut self, program: &str, name: &str, value: &str) -> Self {
        let settings = self.testbed.more.entry(program.to_owned()).or_default();
        settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Replaces one of the product's programs.
    #[must_use]
    pub fn replacing(mut self, program: &'static str, path: PathBuf) -> Self {
        self.replaced.push((program, path));
        self
    }

    /// Has a program print a line before anything else. Its logs go into a folder of their own, so that the scan of all tests' logs does not find the line.
    #[must_use]
    pub fn with_a_program_that_says(mut self, name: &'static str, line: &str) -> Self {
        self.wrapped = Some(Wrapped { name, says_first: line.to_owned() });
        self.testbed.folder = std::env::temp_dir().join(format!("ahoy-story-{}", std::process::id()));
        self
    }

    /// Names one of several testbeds of the same story; each has its own logs.
    #[must_use]
    pub fn beside(mut self, name: &str) -> Self {
        self.testbed.folder = folder().join(name);
        self
    }

    /// Starts everything. Returns when the product is ready for calls.
    pub async fn begin(self) -> Story {
        let replaced = self.replaced.into_iter();
        let mut programs = replaced.fold(programs().await, |all, (name, path)| all.replacing(name, path));
        if let Some(wrapped) = &self.wrapped {
            programs = wrapped.among(programs, &self.testbed.folder);
        }
        let testbed = Testbed::start(self.testbed, &programs).await.expect("the testbed can be started");
        let seen = Mutex::new(testbed.meta.observations());
        Story { testbed: Arc::new(testbed), seen, remembered: Mutex::default() }
    }
}

impl Story {
    /// Starts a story without injected faults.
    pub async fn begin() -> Self {
        StoryBuilder::default().begin().await
    }

    /// Places a call.
    pub async fn ring(&self) -> Caller<'_> {
        self.ring_with_faults(&[]).await
    }

    /// Places a call, and waits until the agent speaks.
    pub async fn greeted_caller(&self) -> Caller<'_> {
        let caller = self.ring().await;
        caller.is_greeted().await;
        caller
    }

    /// Places a call, and hears the greeting out.
    pub async fn caller_after_greeting(&self) -> Caller<'_> {
        let caller = self.ring().await;
        caller.hears_the_greeting().await;
        caller
    }

    /// Places a call with these injected faults, all at once.
    pub async fn ring_with_faults(&self, faults: &[InjectedFault]) -> Caller<'_> {
        self.ring_as(CallerConfig { faults: faults.to_vec(), ..CallerConfig::default() }).await
    }

    /// Places a call as this caller, from this phone.
    pub async fn ring_as(&self, caller: CallerConfig) -> Caller<'_> {
        Caller::new(self, self.meta.ring(caller).await.expect("the call can be placed"))
    }

    /// Places a call whose `connect` is lost at first: `instead` arrives.
    ///
    /// Meta sends its own again half a second later; by then `instead` is recorded.
    pub async fn ring_but_tell(&self, instead: impl FnOnce(&str) -> RawWebhook) -> Caller<'_> {
        self.webhooks_go_astray();
        let caller = self.ring().await;
        let astray = ObservationKind::WebhookAnswered { event: Event::Connect, status: None };
        self.observes(caller.id(), |seen| *seen == astray).await;
        assert_eq!(instead(caller.id()).post(self).await, 200);
        self.webhooks_arrive();
        caller
    }

    /// Has Meta's webhooks go to a URL at which nothing listens. Meta retries with growing pauses.
    pub fn webhooks_go_astray(&self) {
        self.meta.set_webhook_url(NOWHERE);
    }

    /// Has Meta's webhooks arrive again.
    pub fn webhooks_arrive(&self) {
        self.meta.set_webhook_url(self.webhook_url());
    }

    /// Returns the text of the agent's file.
    pub fn agent_file(&self) -> String {
        std::fs::read_to_string(self.folder.join("agent.toml")).expect("the testbed has written it")
    }

    /// Returns the webhook's URL.
    pub fn webhook_url(&self) -> String {
        format!("{}webhook", self.stack.cloud.function_url("webhook"))
    }

    /// Kills call-control once, as soon as an action has taken effect at Meta and before Meta's reply leaves.
    pub fn kill_call_control_after(&self, action: ActionName) -> Kill {
        self.once_after(action, |testbed| async move {
            testbed.stack.cloud.kill_function("call-control").await.expect("there is call-control");
        })
    }

    /// Kills call-control once, as soon as a request about a telephone call has taken effect at OpenAI and before its answer leaves.
    pub fn kill_call_control_after_asking(&self, action: Action) -> Kill {
        let (happened, testbed) = (Kill::default(), Arc::downgrade(&self.testbed));
        let happens = happened.clone();
        self.model.trunk().kill_client_after(action, move || {
            Box::pin(async move {
                happens.0.store(true, Ordering::Relaxed);
                if let Some(testbed) = testbed.upgrade() {
                    testbed.stack.cloud.kill_function("call-control").await.expect("there is call-control");
                }
            })
        });
        happened
    }

    /// Kills the one media task, as soon as an action has taken effect at Meta and before Meta's reply leaves.
    pub fn kill_the_task_after(&self, action: ActionName) -> Kill {
        self.once_after(action, |testbed| async move {
            let task = testbed.stack.cloud.tasks()[0].id.clone();
            testbed.stack.cloud.kill_task(&task).await.expect("the task lives");
        })
    }

    fn once_after<F>(&self, action: ActionName, kill: fn(Arc<Testbed>) -> F) -> Kill
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (happened, testbed) = (Kill::default(), Arc::downgrade(&self.testbed));
        let happens = happened.clone();
        self.meta.on_action(move |seen| {
            let is_now = seen.name == action && !happens.0.swap(true, Ordering::Relaxed);
            let testbed = testbed.upgrade().filter(|_| is_now);
            Box::pin(async move {
                if let Some(testbed) = testbed {
                    kill(testbed).await;
                }
            })
        });
        happened
    }

    /// Returns the pid of the one media task.
    pub fn media_task_pid(&self) -> u32 {
        let tasks = self.stack.cloud.tasks();
        assert_eq!(tasks.len(), 1, "{tasks:?}");
        tasks[0].pid.expect("the task is ready, so it has a process")
    }

    /// Stops the one media task with SIGSTOP for this duration, as an overloaded host does.
    pub async fn stops_the_task_for(&self, time: Duration) {
        self.while_the_task_is_stopped(tokio::time::sleep(time)).await;
    }

    /// Stops the one media task with SIGSTOP until a future is done.
    pub async fn while_the_task_is_stopped<T>(&self, happens: impl Future<Output = T>) -> T {
        let pid = Pid::from_raw(self.media_task_pid() as i32).expect("a process has a number");
        kill_process(pid, Signal::STOP).expect("it is ours to stop");
        let result = happens.await;
        kill_process(pid, Signal::CONT).expect("it is ours to let go on");
        result
    }

    /// Checks the health of the one media task as ECS does: by another process in the same environment.
    pub async fn checks_health(&self) -> Ended {
        let environment = std::fs::read_to_string(format!("/proc/{}/environ", self.media_task_pid()));
        let environment = environment.expect("the task runs, and its environment is text");
        let settings: Vec<_> =
            environment.split('\0').filter_map(|setting| setting.split_once('=')).collect();
        Program::named("media-task").with_argument("healthcheck").with_all(&settings).run().await
    }

    /// Whether call-control was never started.
    pub fn call_control_was_left_alone(&self) -> bool {
        self.stack.cloud.function_pids("call-control").is_empty()
    }

    /// Returns everything the phones and Meta have observed so far.
    pub fn observations(&self) -> Vec<Observation> {
        let mut remembered = self.remembered.lock().expect("no thread panics while remembering");
        let mut seen = self.seen.lock().expect("no thread panics while looking");
        remembered.extend(std::iter::from_fn(|| seen.try_recv().ok()));
        remembered.clone()
    }

    /// Waits until something has been observed of a call, however long ago.
    pub async fn observes(&self, call: &str, wanted: impl Fn(&ObservationKind) -> bool) {
        let is_it = |seen: &Observation| seen.call == call && wanted(&seen.kind);
        self.until("what was to be seen", async || self.observations().iter().any(is_it)).await;
    }

    /// Returns the partition keys of calls in the table.
    pub async fn stored_calls(&self) -> Vec<String> {
        let mut items = vec![];
        self.stack.store.scan(|item| items.push(item)).await.expect("the table can be read");
        let keys = items.iter().map(|item| item["pk"].as_s().expect("keys are texts").clone());
        keys.filter(|key| key.starts_with("CALL#")).collect()
    }

    /// Waits until no call is due for a tick; then no call may be open at Meta, and no action may have gone to a call of another number.
    pub async fn is_at_rest(&self) {
        self.nothing_is_due().await;
        // A message counts as sent before it is sent.
        let cloud = &self.stack.cloud;
        let is_idle = async || cloud.invocations_under_way("call-control") == 0;
        self.until("call-control to be idle", is_idle).await;
        assert!(self.meta.open_calls().is_empty(), "{:?}", self.meta.open_calls());
        assert_eq!(self.meta.strays(), [""; 0]);
    }

    /// Waits until the index of due calls is empty.
    pub async fn nothing_is_due(&self) {
        let store = &self.stack.store;
        let rests = async || store.due(u64::MAX).await.expect("the table can be read").is_empty();
        self.until("the index of what is due to be empty", rests).await;
    }

    /// Waits until a condition holds that sends no notification.
    pub async fn comes_to(&self, is_so: impl Fn() -> bool) {
        self.until("what was to come", async || is_so()).await;
    }

    /// Waits until an asynchronous condition holds.
    pub async fn until_it_is_so(&self, is_so: impl AsyncFn() -> bool) {
        self.until("what was to come", is_so).await;
    }

    pub(crate) async fn until(&self, awaited: &str, is_so: impl AsyncFn() -> bool) {
        let found = eventually(PATIENCE, || async { Ok(is_so().await.then_some(())) }).await;
        let found = found.expect("looking does not fail");
        found.unwrap_or_else(|| panic!("waited {PATIENCE:?} in vain for {awaited}"));
    }
}

impl Wrapped {
    /// Puts the script among the programs: it prints its line and becomes the program.
    fn among(&self, programs: Binaries, folder: &Path) -> Binaries {
        let (path, becomes) = (folder.join(self.name), programs.path(self.name));
        let script =
            format!("#!/bin/sh\ncat <<'LINE'\n{}\nLINE\nexec {}\n", self.says_first, becomes.display());
        std::fs::create_dir_all(folder).expect("the story has a folder");
        std::fs::write(&path, script).expect("the story's folder can be written");
        std::fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("it is ours");
        programs.replacing(self.name, path)
    }
}

impl Drop for Story {
    /// Scans the programs' logs for personal data and secrets; saves the model's sessions for `make conformance`.
    fn drop(&mut self) {
        for (n, session) in self.model.sessions().iter().enumerate() {
            // A story that goes wrong has more to tell than this.
            let _ =
                std::fs::write(self.folder.join(format!("realtime-{n}.jsonl")), session.recording_jsonl());
        }
        if !std::thread::panicking() {
            privacy_scan::keeps(&self.testbed);
        }
    }
}

impl Deref for Story {
    type Target = Testbed;

    fn deref(&self) -> &Testbed {
        &self.testbed
    }
}

impl Kill {
    /// Whether the kill has happened.
    pub fn has_happened(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Returns the product's programs. Nextest has had them built (`.config/nextest.toml`); cargo's own runner has not.
pub async fn programs() -> Binaries {
    let binaries =
        if std::env::var_os("NEXTEST").is_some() { Binaries::built() } else { Binaries::build().await };
    binaries.expect("the product's programs can be built")
}

/// Returns the folder of a story's logs and recordings, named after the test, since stories run side by side.
pub fn folder() -> PathBuf {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("story").replace("::", "/");
    root().join("target/stories").join(name)
}
