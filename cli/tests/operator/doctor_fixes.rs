//! `ahoy doctor --fix` cures what can be cured, with consent, and leaves the rest as it is.

use crate::business::Business;
use sim_meta::SetupFault;
use sim_meta::business_records::Subscriber;

const CURABLE: [SetupFault; 12] = [
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
async fn what_can_be_cured_is_green_afterwards() {
    let business = Business::healthy().await;
    for snag in CURABLE {
        business.meta.snag(snag);

        let fixed = business.examined(&[], &["--fix", "--yes"]).await;
        let again = business.examined(&[], &[]).await;

        assert_eq!(fixed.told["fixed"].as_array().unwrap().len(), 1, "{}: {:#}", snag.name(), fixed.told);
        assert_eq!((fixed.code, again.code), (Some(0), Some(0)), "{}", snag.name());
        assert_eq!((again.that_are("wrong"), again.that_are("unknown")), (vec![], vec![]), "{}", snag.name());
        business.heal();
    }
}

#[tokio::test]
async fn all_of_it_at_once_is_cured_in_the_order_that_meta_demands() {
    let business = Business::healthy().await;
    CURABLE.iter().for_each(|snag| business.meta.snag(*snag));

    let fixed = business.examined(&[], &["--fix", "--yes"]).await;

    assert_eq!(fixed.code, Some(0), "{:#}", fixed.told);
    let books = business.meta.books();
    assert_eq!(
        (&books.calling["status"], &books.calling["sip"]["status"]),
        (&"ENABLED".into(), &"DISABLED".into())
    );
}

#[tokio::test]
async fn what_cannot_be_cured_is_not_touched() {
    let business = Business::healthy().await;
    for snag in SetupFault::ALL.iter().filter(|snag| !CURABLE.contains(snag)) {
        business.meta.snag(*snag);
        let before = business.meta.books();

        let found = business.examined(&[], &["--fix", "--yes"]).await;

        assert_eq!(
            (business.meta.books(), found.told["fixed"].as_array().unwrap().len()),
            (before, 0),
            "{}",
            snag.name()
        );
        business.heal();
    }
}

#[tokio::test]
async fn nothing_is_done_without_consent() {
    let business = Business::healthy().await;
    business.meta.snag(SetupFault::SipOn);

    let said = business.ahoy(&["doctor", "--fix"]).await;

    assert_eq!(said.code, Some(1));
    assert_eq!(said.err, "Left alone: the number's sip. Say yes, or --yes.\n");
    assert_eq!(business.meta.books().calling["sip"]["status"], "ENABLED");
}

#[tokio::test]
async fn another_app_stays_subscribed() {
    let business = Business::healthy().await;
    business.meta.snag(SetupFault::AccountUnsubscribed);
    business.meta.snag(SetupFault::AccountShared);

    let fixed = business.examined(&[], &["--fix", "--yes"]).await;

    assert_eq!((fixed.that_are("wrong"), fixed.that_are("unknown")), (vec![], vec!["account-other-apps"]));
    let told: Vec<Subscriber> = business.meta.books().account.subscribers;
    assert_eq!(told.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["Helpdesk", "Ahoy"]);
}
