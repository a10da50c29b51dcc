//! `ahoy doctor --fix` fixes what can be fixed, after confirmation, and changes nothing else.

use crate::business::Business;
use sim_meta::SetupFault;
use sim_meta::business_records::Subscriber;

const FIXABLE: [SetupFault; 12] = [
    SetupFault::AppUnsubscribed,
    SetupFault::AppWithoutCalls,
    SetupFault::AppWithoutMessages,
    SetupFault::AppInactive,
    SetupFault::AppElsewhere,
    SetupFault::AccountUnsubscribed,
    SetupFault::AccountElsewhere,
    SetupFault::NumberElsewhere,
    SetupFault::CallingOff,
    SetupFault::IconHidden,
    SetupFault::SipOn,
    SetupFault::KeysBySdes,
];

#[tokio::test]
async fn fixable_faults_are_gone_afterwards() {
    let business = Business::healthy().await;
    for snag in FIXABLE {
        business.meta.snag(snag);

        let fixed = business.doctor(&[], &["--fix", "--yes"]).await;
        let again = business.doctor(&[], &[]).await;

        assert_eq!(fixed.report["fixed"].as_array().unwrap().len(), 1, "{}: {:#}", snag.name(), fixed.report);
        assert_eq!((fixed.code, again.code), (Some(0), Some(0)), "{}", snag.name());
        assert_eq!(
            (again.with_finding("wrong"), again.with_finding("unknown")),
            (vec![], vec![]),
            "{}",
            snag.name()
        );
        business.reset();
    }
}

#[tokio::test]
async fn all_fixes_are_made_in_the_order_that_meta_demands() {
    let business = Business::healthy().await;
    FIXABLE.iter().for_each(|snag| business.meta.snag(*snag));

    let fixed = business.doctor(&[], &["--fix", "--yes"]).await;

    assert_eq!(fixed.code, Some(0), "{:#}", fixed.report);
    let books = business.meta.books();
    assert_eq!(
        (&books.calling["status"], &books.calling["sip"]["status"]),
        (&"ENABLED".into(), &"DISABLED".into())
    );
}

#[tokio::test]
async fn other_faults_are_left_alone() {
    let business = Business::healthy().await;
    for snag in SetupFault::ALL.iter().filter(|snag| !FIXABLE.contains(snag)) {
        business.meta.snag(*snag);
        let before = business.meta.books();

        let found = business.doctor(&[], &["--fix", "--yes"]).await;

        assert_eq!(
            (business.meta.books(), found.report["fixed"].as_array().unwrap().len()),
            (before, 0),
            "{}",
            snag.name()
        );
        business.reset();
    }
}

#[tokio::test]
async fn nothing_is_changed_without_confirmation() {
    let business = Business::healthy().await;
    business.meta.snag(SetupFault::SipOn);

    let output = business.ahoy(&["doctor", "--fix"]).await;

    assert_eq!(output.code, Some(1));
    assert_eq!(output.err, "Not changed: the number's sip. Answer yes, or use --yes.\n");
    assert_eq!(business.meta.books().calling["sip"]["status"], "ENABLED");
}

#[tokio::test]
async fn another_app_stays_subscribed() {
    let business = Business::healthy().await;
    business.meta.snag(SetupFault::AccountUnsubscribed);
    business.meta.snag(SetupFault::AccountShared);

    let fixed = business.doctor(&[], &["--fix", "--yes"]).await;

    assert_eq!(
        (fixed.with_finding("wrong"), fixed.with_finding("unknown")),
        (vec![], vec!["account-other-apps"])
    );
    let subscribers: Vec<Subscriber> = business.meta.books().account.subscribers;
    assert_eq!(subscribers.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["Helpdesk", "Ahoy"]);
}
