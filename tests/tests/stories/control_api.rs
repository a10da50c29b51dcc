//! Requests to the control API from anyone but call-control are refused without a reason, and no call suffers.

use super::blocked_dependencies::listen;
use call::Ending;
use harness::connection_flood::Flood;
use harness::program::free_address;
use harness::raw_control_api::{RawRequest, connect};
use harness::{Story, StoryBuilder};
use journal::JournalEvent;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::Store;
use store::lease::Lease;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// Fewer than the control API admits from one host.
const FORGED_EVERY: Duration = Duration::from_millis(25);

/// What a stranger is told, whatever is wrong.
const REFUSED: &str = r#"{"reason":"refused"}"#;

/// How long the control API keeps a connection without a valid signature, with room for a busy machine.
const STRANGERS_STAY: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread")]
async fn forged_replayed_stale_large_or_unsigned_requests_are_refused_without_reason() {
    let story = Story::begin().await;
    let caller = story.greeted_caller().await;
    let (lease, key, call) = (story.media_lease().await, story.control_api_key(), caller.call_ref());
    let ours = RawRequest::about(&call, &key);
    assert_eq!(ours.at(&lease).await.0, 204, "the task has the call, and says so to a signed request");

    let request = || RawRequest::about(&call, &key);
    let too_large = vec![b' '; internal_api::control_api::LARGEST_BODY + 1];
    for (what, request) in [
        ("replayed", ours),
        ("under another key", RawRequest::about(&call, "another key")),
        ("about another call", request().altered()),
        ("unsigned", request().unsigned()),
        ("stale", request().of_seconds_ago(31, &key)),
        ("from the future", request().in_seconds(40, &key)),
        ("too large", request().saying(too_large, &key)),
    ] {
        let (status, said) = request.at(&lease).await;
        assert_eq!(status, 401, "{what}: {said}");
        assert!(said.ends_with(REFUSED), "{what}: {said}");
    }
    assert_eq!(caller.hangs_up().await.ending, Ending::CallerHungUp);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_half_sent_is_given_up_in_silence() {
    let story = Story::begin().await;
    let (lease, key) = (story.media_lease().await, story.control_api_key());
    let whole = RawRequest::about(&"unknown".into(), &key).saying(vec![b' '; 1_000], &key).bytes();

    for part in [1, 20, whole.len() - 900, whole.len() - 1] {
        let began = Instant::now();
        let mut stream = connect(&lease).await;
        stream.write_all(&whole[..part]).await.expect("the control API reads");
        stream.flush().await.expect("the control API reads");
        let mut said = vec![];
        let _ = tokio::time::timeout(STRANGERS_STAY, stream.read_to_end(&mut said)).await.expect("it closes");

        let said = String::from_utf8_lossy(&said);
        assert!(said.is_empty() || said.ends_with(REFUSED), "{part} bytes: {said}");
        println!("{part} bytes of {} were given up after {:?}", whole.len(), began.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_goes_on_does_not_stutter_for_what_is_refused() {
    let story = StoryBuilder::default().with_model(|model| *model = model.clone().for_many()).begin().await;
    let caller = story.greeted_caller().await;
    let (lease, lasts, calls) = (story.media_lease().await, Duration::from_secs(5), [caller.phone().clone()]);
    let quiet = listen(&calls, tokio::time::sleep(lasts)).await;

    let forging = async {
        let (until, mut next) = (Instant::now() + lasts, tokio::time::interval(FORGED_EVERY));
        while Instant::now() < until {
            next.tick().await;
            let forged = RawRequest::about(&"unknown".into(), "another key")
                .saying(vec![b' '; 100_000], "another key");
            assert_eq!(forged.at(&lease).await.0, 401);
        }
    };
    quiet.bounds(listen(&calls, forging).await, "the control API");

    assert_eq!(caller.hangs_up().await.ending, Ending::CallerHungUp);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_connections_from_several_hosts_costs_no_call() {
    let story = Story::begin().await;
    let live = story.greeted_caller().await;
    let flood = Flood::of(&story.media_lease().await.door);
    story.comes_to(|| flood.made() > 4_000 && flood.dropped() > 2_000).await;

    let mut callers = vec![live];
    for _ in 0..3 {
        let healthy = story.checks_health().await;
        assert_eq!(healthy.code, Some(0), "{healthy:?}");
        // Kept connections are beyond every limit: a new one has to get in.
        story.stack.cloud.kill_function("call-control").await.expect("there is call-control");
        let new = story.greeted_caller().await;
        callers.push(new);
    }

    let (made, dropped) = (flood.made(), flood.dropped());
    story.comes_to(|| flood.made() > made + 200 && flood.dropped() > dropped + 100).await;
    for caller in &callers {
        caller.phone().hang_up().await;
    }
    for caller in callers {
        let after = caller.afterwards().await;
        assert_eq!((after.ending, after.assignments), (Ending::CallerHungUp, 1), "{after:?}");
    }
}

/// The task renews its lease meanwhile, which is life.
#[tokio::test(flavor = "multi_thread")]
async fn a_door_out_of_reach_ends_no_call_of_a_live_task() {
    let story = Story::begin().await;
    let caller = story.greeted_caller().await;
    let mut detour = JoinSet::new();
    detour.spawn(lead_astray(story.stack.store.clone()));

    let is_silent = |event: &&JournalEvent| matches!(event, JournalEvent::TaskSilent { .. });
    for times in [1, 2] {
        story.until_it_is_so(async || caller.journal().await.iter().filter(is_silent).count() >= times).await;
    }

    detour.shutdown().await;
    assert_eq!(caller.hangs_up().await.ending, Ending::CallerHungUp);
}

/// Makes every lease name an address where nothing listens, again after each renewal.
async fn lead_astray(store: Store) {
    let nowhere = free_address().to_string();
    loop {
        for lease in store.ready_tasks().await.expect("the table can be read") {
            if lease.door != nowhere {
                let lie = Lease { door: nowhere.clone(), ..lease };
                store.renew(&lie).await.expect("the table can be written");
            }
        }
        // Sooner than a heartbeat gets from its lease to the calls that are due.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Call-control sends nothing to a stranger at a task's address, and has another task take the call.
#[tokio::test(flavor = "multi_thread")]
async fn an_impostor_at_a_tasks_address_hears_nothing() {
    let story = Story::begin().await;
    let lease = story.media_lease().await;
    let impostor = Impostor::at_the_place_of(&story, &lease).await;

    let caller = story.greeted_caller().await;
    let after = caller.hangs_up().await;

    assert_eq!(after.ending, Ending::CallerHungUp);
    let visits = impostor.ends();
    assert!(!visits.is_empty(), "call-control came by");
    assert!(visits.iter().all(|heard| *heard == 0), "bytes the impostor heard: {visits:?}");
}

/// A server with a certificate of its own at a media task's address.
struct Impostor {
    heard: Arc<std::sync::Mutex<Vec<usize>>>,
    serving: JoinSet<()>,
}

impl Impostor {
    /// Says so in the registry, over and over: the task itself says otherwise every five seconds.
    async fn at_the_place_of(story: &Story, lease: &Lease) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let lie = Lease { door: address, ..lease.clone() };
        let store = story.stack.store.clone();
        store.renew(&lie).await.expect("the table can be written");
        let (heard, mut serving) = (Arc::<std::sync::Mutex<Vec<usize>>>::default(), JoinSet::new());
        serving.spawn(async move {
            loop {
                store.renew(&lie).await.expect("the table can be written");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        serving.spawn(receive(listener, heard.clone()));
        Self { heard, serving }
    }

    /// How many bytes were heard in each visit.
    fn ends(mut self) -> Vec<usize> {
        self.serving.abort_all();
        std::mem::take(&mut self.heard.lock().expect("no thread panics while noting"))
    }
}

async fn receive(listener: TcpListener, heard: Arc<std::sync::Mutex<Vec<usize>>>) {
    let acceptor = TlsAcceptor::from(certificate());
    while let Ok((stream, _)) = listener.accept().await {
        let mut words = vec![];
        if let Ok(mut stream) = acceptor.accept(stream).await {
            let _ = stream.read_to_end(&mut words).await;
        }
        heard.lock().expect("no thread panics while noting").push(words.len());
    }
}

fn certificate() -> Arc<ServerConfig> {
    let made = rcgen::generate_simple_self_signed(["media-task".to_owned()]).expect("there is randomness");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = config.with_safe_default_protocol_versions().expect("the provider speaks TLS");
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key);
    Arc::new(config.expect("the certificate was just made"))
}
