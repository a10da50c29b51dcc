//! Secrets that are changed while the product runs: the next call works, and no process was started for it.

use harness::raw_webhook::client;
use harness::{Afterwards, Story, StoryBuilder, looking_up};
use serde_json::{Value, json};
use sim_audio::clips;
use sim_openai::Script;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_app_secret_is_used_without_a_restart() {
    let story = WarmStory::begin().await;
    story.rotate("meta", json!({"app_secret": "a new app secret"}));
    story.meta.set_app_secret("a new app secret");

    story.takes_a_call().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_app_secret_is_changed_meta_may_sign_with_either() {
    let story = WarmStory::begin().await;
    let previous = story.stack.secrets["meta"]["app_secret"].clone();
    story.rotate("meta", json!({"app_secret": "a new app secret", "previous_app_secret": previous}));

    story.takes_a_call().await;
    story.meta.set_app_secret("a new app secret");
    story.takes_a_call().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_verify_token_is_used_without_a_restart() {
    let story = WarmStory::begin().await;
    let asked = "hub.mode=subscribe&hub.challenge=7&hub.verify_token";
    let ask = async |token: &str| {
        let url = format!("{}?{asked}={token}", story.webhook_url());
        client().get(url).send().await.expect("the webhook answers").status().as_u16()
    };
    story.rotate("meta", json!({"verify_token": "new"}));

    assert_eq!((ask("new").await, ask("an+older+one").await), (200, 403));
    story.was_not_restarted();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_access_token_is_used_without_a_restart() {
    let story = WarmStory::begin().await;
    story.rotate("meta", json!({"access_token": "a new access token"}));
    story.meta.set_access_token("a new access token");

    story.takes_a_call().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_of_the_model_is_used_without_a_restart() {
    let story = WarmStory::begin().await;
    story.rotate("media", json!({"openai_api_key": "sk-new"}));
    story.model.set_key("sk-new");

    story.takes_a_call().await;
}

/// Functions and tasks look at different times: a process with the new key must be accepted by one with the old key, and the other
/// way round.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_door_key_is_used_without_a_restart() {
    let story = WarmStory::begin().await;
    let old = story.control_api_key();
    story.rotate("media", json!({"door_key": "a new door key", "previous_door_key": old}));
    let with_new_key = harness::raw_control_api::RawRequest::about(&"unknown".into(), "a new door key");

    assert_eq!(with_new_key.at(&story.media_lease().await).await.0, 404, "the task has fetched the new key");
    story.takes_a_call().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signing_key_replaced_at_once_is_used_without_a_restart() {
    let story = WarmStory::begin().await;
    story.rotate("media", json!({"door_key": "a new door key"}));
    let with_new_key = harness::raw_control_api::RawRequest::about(&"unknown".into(), "a new door key");
    assert_eq!(with_new_key.at(&story.media_lease().await).await.0, 404, "the task has fetched the new key");

    // Call-control still signs with the old key, is refused, and fetches the secret.
    story.takes_a_call().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_of_a_tool_is_used_without_a_restart() {
    let builder = StoryBuilder::default().scripted(looking_up("427", clips::agent_order()));
    let story = WarmStory::begin_as(builder).await;
    story.business.set_key("a new key of the shop");
    let keys = json!({sim_business::KEY_NAME: "a new key of the shop"});
    story.rotate("media", json!({"tool_secrets": keys}));

    let before = story.asks_for_an_order().await;
    assert_eq!(before.tools(), ["lookup_order: failed"], "that is how the task learns of the new key");
    let after = story.asks_for_an_order().await;

    assert_eq!((after.tools(), story.business.forged()), (vec!["lookup_order: done".to_owned()], 1));
    story.was_not_restarted();
}

/// A story in which every process has worked before anything is changed.
struct WarmStory {
    story: Story,
    processes: Vec<u32>,
}

impl WarmStory {
    async fn begin() -> Self {
        Self::begin_as(StoryBuilder::default().scripted(Script::about_bikes())).await
    }

    async fn begin_as(builder: StoryBuilder) -> Self {
        let story = builder.begin().await;
        let warm = Self { story, processes: vec![] };
        warm.takes_a_call().await;
        let processes = warm.all_processes();
        assert!(processes.len() >= 3, "webhook, call-control and media task: {processes:?}");
        Self { processes, ..warm }
    }

    /// Puts a new value into Secrets Manager, with these changes.
    fn rotate(&self, secret: &str, changes: Value) {
        let mut value = self.story.stack.secrets[secret].clone();
        let (Value::Object(fields), Value::Object(changes)) = (&mut value, changes) else {
            panic!("a secret is an object")
        };
        fields.extend(changes);
        self.story.stack.cloud.rotate_secret(secret, value.to_string());
    }

    /// A caller rings, is greeted at the first ring, and hangs up.
    async fn takes_a_call(&self) {
        let caller = self.story.ring().await;
        caller.is_greeted().await;
        let after = caller.hangs_up().await;
        after.was_ordinary();
        assert_eq!(after.assignments, 1, "{after:?}");
        self.was_not_restarted();
    }

    /// A caller rings and has an order looked up.
    async fn asks_for_an_order(&self) -> Afterwards {
        let caller = self.story.ring().await;
        caller.hears_the_greeting().await;
        caller.says(&clips::caller_order()).await;
        caller.hears(&clips::agent_order()).await;
        caller.hangs_up().await
    }

    fn was_not_restarted(&self) {
        let now = self.all_processes();
        assert!(self.processes.iter().all(|pid| now.contains(pid)), "{:?}, and now {now:?}", self.processes);
    }

    fn all_processes(&self) -> Vec<u32> {
        let cloud = &self.story.stack.cloud;
        let functions = ["webhook", "call-control"].into_iter().flat_map(|name| cloud.function_pids(name));
        functions.chain([self.story.media_task_pid()]).collect()
    }
}

impl std::ops::Deref for WarmStory {
    type Target = Story;

    fn deref(&self) -> &Story {
        &self.story
    }
}
