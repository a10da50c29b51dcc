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
    for fault in FIXABLE {
        business.meta.inject_setup_fault(fault);

        let fixed = business.doctor(&[], &["--fix", "--yes"]).await;
        let again = business.doctor(&[], &[]).await;

        assert_eq!(
            fixed.report["fixed"].as_array().unwrap().len(),
            1,
            "{}: {:#}",
            fault.name(),
            fixed.report
        );
        assert_eq!((fixed.code, again.code), (Some(0), Some(0)), "{}", fault.name());
        assert_eq!(
            (again.with_finding("wrong"), again.with_finding("unknown")),
            (vec![], vec![]),
            "{}",
            fault.name()
        );
        business.reset();
    }
}

#[tokio::test]
async fn all_fixes_are_made_in_the_order_that_meta_demands() {
    let business = Business::healthy().await;
    FIXABLE.iter().for_each(|fault| business.meta.inject_setup_fault(*fault));

    let fixed = business.doctor(&[], &["--fix", "--yes"]).await;

    assert_eq!(fixed.code, Some(0), "{:#}", fixed.report);
    let records = business.meta.records();
    assert_eq!(
        (&records.calling["status"], &records.calling["sip"]["status"]),
        (&"ENABLED".into(), &"DISABLED".into())
    );
}

#[tokio::test]
async fn other_faults_are_left_alone() {
    let business = Business::healthy().await;
    for fault in SetupFault::ALL.iter().filter(|fault| !FIXABLE.contains(fault)) {
        business.meta.inject_setup_fault(*fault);
        let before = business.meta.records();

        let found = business.doctor(&[], &["--fix", "--yes"]).await;

        assert_eq!(
            (business.meta.records(), found.report["fixed"].as_array().unwrap().len()),
            (before, 0),
            "{}",
            fault.name()
        );
        business.reset();
    }
}

#[tokio::test]
async fn nothing_is_changed_without_confirmation() {
    let business = Business::healthy().await;
    business.meta.inject_setup_fault(SetupFault::SipOn);

    let output = business.ahoy(&["doctor", "--fix"]).await;

    assert_eq!(output.code, Some(1));
    assert_eq!(output.err, "Not changed: the number's sip. Answer yes, or use --yes.\n");
    assert_eq!(business.meta.records().calling["sip"]["status"], "ENABLED");
}

#[tokio::test]
async fn another_app_stays_subscribed() {
    let business = Business::healthy().await;
    business.meta.inject_setup_fault(SetupFault::AccountUnsubscribed);
    business.meta.inject_setup_fault(SetupFault::AccountShared);

    let fixed = business.doctor(&[], &["--fix", "--yes"]).await;

    assert_eq!(
        (fixed.with_finding("wrong"), fixed.with_finding("unknown")),
        (vec![], vec!["account-other-apps"])
    );
    let subscribers: Vec<Subscriber> = business.meta.records().account.subscribers;
    assert_eq!(subscribers.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["Helpdesk", "Ahoy"]);
}
