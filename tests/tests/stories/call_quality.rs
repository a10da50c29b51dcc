//! The quality of calls, as their journals state it.

use harness::Story;
use journal::JournalEvent;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_tells_how_it_sounded_both_ways() {
    let story = Story::begin().await;
    let caller = story.ring().await;
    caller.talks().await;

    let after = caller.hangs_up().await;

    let told = after.journal.iter().find(|event| matches!(event, JournalEvent::Media { .. }));
    let Some(JournalEvent::Media {
        received,
        lost,
        foreign,
        malformed,
        restarts,
        loss_down_permille,
        round_trip_ms,
        mos_up,
        mos_down,
        ..
    }) = told
    else {
        panic!("it tells nothing: {:?}", after.journal)
    };
    assert!(*received > 400, "{received} packets in ten seconds");
    assert_eq!((*lost, *foreign, *malformed, *restarts), (0, 0, 0, 0));
    // The caller's phone reports on our stream, and repeats the time of our own reports: so it has understood them.
    assert_eq!(*loss_down_permille, Some(0), "{told:?}");
    assert!(round_trip_ms.is_some_and(|ms| ms < 100), "{told:?}");
    assert!(*mos_up > Some(430) && *mos_down > Some(430), "{told:?}");
}
