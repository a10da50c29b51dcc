//! Releases that meet over telephone calls: the one before the SIP line, which the file `previous-release` names and
//! `scripts/previous-release.sh` builds, and today's.

use super::telephone::{story, takes_leave};
use call::Ending;
use harness::{Story, StoryBuilder};
use local::{Binaries, root};
use sim_audio::clips;
use sim_openai::{Reply, Script};
use std::os::unix::fs::symlink;
use std::path::PathBuf;

/// The functions that read calls.
const FUNCTIONS: [&str; 2] = ["call-control", "reaper"];

#[tokio::test(flavor = "multi_thread")]
async fn a_media_task_of_the_previous_release_gets_no_telephone_call() {
    // It asks `gpt-transcribe` for a `language`, which the simulated model refuses.
    let builder = story().with_agent_also("\n[model]\ntranscription = false\n");
    let story = builder.replacing("media-task", previous("media-task")).begin().await;

    let after = story.dial().afterwards().await;

    after.was_rejected(Ending::NoCapacity, 503);
    assert_eq!(after.assignments(), 0, "{after:?}");
    // It works: another line's call is answered.
    story.greeted_caller().await.hangs_up().await.was_ordinary();
}

/// Functions are rolled back in mid-call: those of the previous release cannot read the call, and leave it as it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_survives_a_rollback_of_the_functions() {
    let answers = [Reply::speech(clips::agent_answer()), takes_leave()];
    let script = Script::new(Reply::speech(clips::agent_greeting()), answers);
    let functions = DeployedFunctions::of_today();
    let story = functions.among(story().scripted(script)).begin().await;
    let caller = story.dial();
    caller.is_greeted().await;

    functions.replace(&story, previous).await;
    let before = caller.stored().await;
    story.comes_to(|| has_failed_at_a_tick(&story)).await;
    story.stack.cloud.run_schedule("reaper").await.expect("there is a schedule");
    caller.asks(&clips::caller_question(), &clips::agent_answer()).await;
    assert_eq!(caller.stored().await, before, "it is not harmed");

    functions.replace(&story, todays).await;
    caller.phone().say(&clips::caller_thanks());
    let after = caller.afterwards().await;
    after.was_hung_up(Ending::AgentSaidGoodbye);
    assert_eq!((after.assignments(), after.report.sockets_attached()), (1, 1), "{after:?}");
}

/// Whether call-control has failed at an event, which Lambda keeps for another attempt.
fn has_failed_at_a_tick(story: &Story) -> bool {
    let cloud = &story.stack.cloud;
    let events = cloud.events("call-control").expect("there is such a function");
    let has_started = !cloud.function_pids("call-control").is_empty();
    has_started && events.waiting > 0 && cloud.invocations_under_way("call-control") == 0
}

/// The programs of functions, which are replaced while the product runs.
struct DeployedFunctions(PathBuf);

impl DeployedFunctions {
    fn of_today() -> Self {
        let folder = std::env::temp_dir().join(format!("ahoy-functions-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("there is room for links");
        let functions = Self(folder);
        functions.link(todays);
        functions
    }

    fn among(&self, builder: StoryBuilder) -> StoryBuilder {
        FUNCTIONS.into_iter().fold(builder, |builder, name| builder.replacing(name, self.0.join(name)))
    }

    /// Deploys the functions of a release: no process of another one goes on.
    async fn replace(&self, story: &Story, release: fn(&str) -> PathBuf) {
        self.link(release);
        for name in FUNCTIONS {
            story.stack.cloud.kill_function(name).await.expect("there is such a function");
        }
    }

    fn link(&self, release: fn(&str) -> PathBuf) {
        for name in FUNCTIONS {
            let link = self.0.join(name);
            // The first time there is none.
            let _ = std::fs::remove_file(&link);
            symlink(release(name), link).expect("the folder is ours");
        }
    }
}

impl Drop for DeployedFunctions {
    fn drop(&mut self) {
        // What is left of it is in the folder of temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn todays(program: &str) -> PathBuf {
    Binaries::built().expect("the programs are built").path(program)
}

fn previous(program: &str) -> PathBuf {
    let path = root().join("target/previous").join(program);
    assert!(path.exists(), "make test builds it, and so does scripts/previous-release.sh");
    path
}
