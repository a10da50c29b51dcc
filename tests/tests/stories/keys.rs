//! What the caller types on the keypad.

use openai::{Reply, Script};
use tests::{Scene, looks_up};
use tone::clips;

fn by_keys() -> Script {
    Script::about_bikes().on_message("427", looks_up("427", clips::agent_order()))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_number_that_is_typed_is_looked_up() {
    let story = Scene::default().scripted(by_keys()).begin().await;
    let caller = story.ring().await;
    caller.hears_the_greeting().await;

    caller.phone().press("427#").await.expect("the phone has keys");
    caller.hears(&clips::agent_order()).await;

    let lines = story.lines_of(&caller).await;
    let after = caller.hangs_up().await;
    assert_eq!((after.tools(), after.keys()), (vec!["lookup_order: done".to_owned()], vec![3]));
    assert_eq!(story.shop.asked(), ["427"]);
    assert!(lines.iter().any(|line| line.contains("427")), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_private_reach_the_model_and_nothing_else() {
    let script = Script::about_bikes().on_message("90317", Reply::speech(clips::agent_keys()));
    let story =
        Scene::default().scripted(script).with_agent_also("\n[keypad]\nsensitive = true\n").begin().await;
    let caller = story.ring().await;
    caller.hears_the_greeting().await;

    // Without the hash: a pause says that this was all.
    caller.phone().press("90317").await.expect("the phone has keys");
    caller.hears(&clips::agent_keys()).await;

    let after = caller.hangs_up().await;
    assert_eq!(after.keys(), [5]);
    assert_eq!(story.logs_with("90317"), [""; 0]);
    assert!(!story.everything_stored().await.contains("90317"));
}
