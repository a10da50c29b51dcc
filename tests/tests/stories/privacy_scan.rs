//! A program that logs what it must not fails the story it is in.

use harness::{Story, StoryBuilder};
use std::panic::{AssertUnwindSafe, catch_unwind};

#[tokio::test(flavor = "multi_thread")]
async fn a_telephone_number_in_a_log_fails_its_story() {
    fails_for("media-task", r#"{"level":"INFO","message":"+91 99000 00007 calls"}"#, "a telephone number")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_a_log_fails_its_story() {
    fails_for("media-task", r#"{"level":"INFO","key":"an access token"}"#, "Meta's access token").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sdp_in_a_log_fails_its_story() {
    fails_for("media-task", r#"{"offer":"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n"}"#, "an SDP").await;
}

async fn fails_for(program: &'static str, line: &str, kind: &str) {
    let story: Story = StoryBuilder::default().with_a_program_that_says(program, line).begin().await;

    let failed = catch_unwind(AssertUnwindSafe(|| drop(story))).expect_err("the story fails");

    let why = failed.downcast_ref::<String>().expect("a failed story says why");
    assert!(why.contains("media-task-1, line 1: ") && why.contains(kind), "{why}");
    assert!(!why.contains(line), "{why}");
}
