//! The product as one program, with Meta and the model somewhere else.

use harness::program::{Program, Running, is_alive};
use sim_meta::{Call, CallerConfig, Meta, MetaConfig};
use sim_openai::Realtime;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn it_answers_a_call_and_leaves_nothing_behind() {
    let (meta, model, mut serving) = serve().await;
    let call = ring(&meta).await;
    call.agent_falls_silent(SOON).await.expect("the greeting comes to its end");
    call.hang_up().await;
    call.terminated(SOON).await.expect("Meta tells of the end");
    serving.says("ready").await;
    let children = serving.children();

    serving.interrupt();
    let ended = serving.ends().await;

    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(children.len() >= 3, "a media task and two functions: {children:?}");
    assert_eq!(children.into_iter().filter(|pid| is_alive(*pid)).collect::<Vec<_>>(), [0; 0]);
    assert_eq!((model.connections(), meta.messages().len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_in_the_middle_of_a_call_too() {
    let (meta, _model, serving) = serve().await;
    let _call = ring(&meta).await;
    let children = serving.children();

    serving.interrupt();
    let ended = serving.ends().await;

    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(children.into_iter().filter(|pid| is_alive(*pid)).collect::<Vec<_>>(), [0; 0]);
}

/// Meta, the model, and the product that knows them by its settings only.
async fn serve() -> (Meta, Realtime, Running) {
    let config = MetaConfig::default();
    let meta = Meta::start(config.clone()).await.expect("Meta can be simulated");
    let model =
        Realtime::start(sim_openai::Config::new("sk-story")).await.expect("the model can be simulated");
    let program = Program::serve().with_all(&[
        ("META_APP_SECRET", &config.app_secret),
        ("META_VERIFY_TOKEN", &config.verify_token),
        ("META_ACCESS_TOKEN", &config.access_token),
        ("OPENAI_API_KEY", "sk-story"),
        ("GRAPH_URL", &meta.graph_url()),
        ("REALTIME_URL", &model.url()),
        ("AHOY_NUMBERS", &config.phone_number_id),
        ("AHOY_BIND_IP", "127.0.0.1"),
        ("AHOY_LISTEN", "127.0.0.1:0"),
    ]);
    let mut serving = program.start().await;
    meta.set_webhook_url(serving.says("webhook").await);
    meta.verify_webhook().await.expect("the webhook knows the verify token");
    (meta, model, serving)
}

async fn ring(meta: &Meta) -> Call {
    let call = meta.ring(CallerConfig::default()).await.expect("the call can be placed");
    call.answered(SOON).await.expect("the call is answered");
    call.agent_speaks(SOON).await.expect("the agent greets");
    call
}
