//! Every item that functions and media tasks write to the table, as DynamoDB's emulator holds it then.

use crate::held::hold_texts;
use crate::items::shape;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use call::{Call, CallRef, Ending, Fence, Party, Phase, Timestamp};
use journal::{CallSummary, EntryBuilder, JournalEvent, Speaker, TranscriptLine};
use media_task::journal_writer::JournalWriter;
use serde_json::{Value, json};
use std::time::Duration;
use store::items::{Item, number, text, to_item};
use store::keys;
use store::lease::Lease;
use store::{
    AudioLevels, BudgetedAction, CallListing, CallOutcome, CallOwner, CallerCall, CallerNames, Delivery,
    OutboxClaim, OutboxEvent, OutboxItem, OutboxKey, OutboxTry, Store, StoredAgent, StoredCall,
    TransferClaim,
};
use switchboard::intake::{
    Intake, IntakeSettings, KnownNumbers, SentMessages, Tombstones, UnknownNumbers, groups,
};
use tokio::net::TcpListener;
use tools::{Callback, Message};
use whatsapp::{Caller, ConnectDetails, Notice, NoticeKind, NoticeSubject};

const NOW: u64 = 1_795_305_600_000;
const DAY: &str = "2026-11-22";
const CALL: &str = "0000000000000000000000000000000000000000000000000000000000ab12";

#[tokio::test]
async fn items_that_ledger_and_store_write_stay() {
    let ledger = ledger().await;

    write_settings(&ledger).await;
    write_calls(&ledger).await;
    write_spending(&ledger).await;
    write_launches(&ledger).await;
    write_notices(&ledger).await;
    write_conversation(&ledger).await;
    write_outbox(&ledger).await;

    hold_texts("table.tsv", table(&ledger).await);
}

async fn write_settings(ledger: &Store) {
    ledger.put_agent(&StoredAgent::new("a", "name = \"a\"\n", NOW)).await.unwrap();
    ledger.assign(&"220".into(), "a").await.unwrap();
    ledger.renew(&Lease::new(&"0a".into(), "127.0.0.1:8443", "ff00", "12", 50, NOW).using(3)).await.unwrap();
    ledger.link_pseudonyms(&["5eed".to_owned(), "5eee".to_owned()], NOW).await.unwrap();
}

async fn write_calls(ledger: &Store) {
    let mut journal = EntryBuilder::new(&CALL.into(), "call-control", NOW, 3);
    ledger
        .write(&journal.enter(JournalEvent::Claimed { task: "0a".into(), fence: Fence(2) }, NOW))
        .await
        .unwrap();
    let listed = CallListing {
        call_ref: CALL.into(),
        line: call::Line::WhatsApp.into(),
        number: "220".into(),
        rang_at_ms: NOW,
        start: Some("warm".into()),
        accepted_at_ms: Some(NOW + 2_000),
        ended_at_ms: Some(NOW + 90_000),
        ending: Some(Ending::CallerHungUp.into()),
        by: Some(Party::Caller.into()),
    };
    for item in listed.items(&["5eed".to_owned()], DAY, keys::forget_at(NOW)) {
        ledger.put(item).await.unwrap();
    }
    let of_caller =
        CallerCall { number: &"220".into(), pseudonym: "5eed", call_ref: &CALL.into(), rang_at_ms: NOW };
    ledger.count_call(&of_caller).await.unwrap();
    for action in [BudgetedAction::Message, BudgetedAction::Tool, BudgetedAction::Notice] {
        assert!(ledger.may_act(&"220".into(), "5eed", action, 3, NOW).await.unwrap());
    }
    ledger.claim_message(&CALL.into(), "call_1", NOW).await.unwrap();
    ledger.note_message_sent(&CALL.into(), "call_1").await.unwrap();
    ledger.claim_message(&CALL.into(), "call_2", NOW).await.unwrap();
    ledger.note_message_ref(&CALL.into(), "cd34", "call_1", NOW).await.unwrap();
    assert_eq!(ledger.claim_transfer(&CALL.into(), "call_3", NOW).await.unwrap(), TransferClaim::Yours);
    assert!(ledger.may_transfer(&"220".into(), "2026-11-23", 1).await.unwrap());
}

async fn write_spending(ledger: &Store) {
    let by = CallOwner {
        call_ref: CALL.into(),
        number: "220".into(),
        fence: Fence(2),
        forget_at: keys::forget_at(NOW),
    };
    ledger.count_spent(&by, DAY, 0, 40).await.unwrap();
    let mut summary = to_item(&CallSummary { call_ref: CALL.into(), ..CallSummary::default() });
    summary.insert(keys::TTL.to_owned(), number(by.forget_at));
    let conclusion =
        CallOutcome { by, day: DAY.into(), counted: vec![40], micro_dollars: 90, summary, has_opened: true };
    assert!(ledger.conclude(&conclusion).await.unwrap());
    assert!(ledger.claim_cap_event(&"220".into(), DAY).await.unwrap());
}

async fn write_launches(ledger: &Store) {
    let started = ledger.claim_launch(3, &"00000000".into(), NOW).await.unwrap().unwrap();
    ledger.note_launch(started.slot, &"00000000".into(), &"0b".into(), NOW).await.unwrap();
    let mut refused = ledger.claim_launch(3, &"00000001".into(), NOW).await.unwrap().unwrap();
    assert!(ledger.note_launch_refused(&mut refused, &"00000001".into()).await.unwrap());
}

async fn write_notices(ledger: &Store) {
    let house = IntakeSettings {
        numbers: KnownNumbers::Listed(vec!["220".into()]),
        ring_budget: Duration::from_secs(25),
    };
    let intake = Intake::new(ledger.clone(), house.clone());
    let caller = || Caller { number: Some("15550001111".into()), user_id: Some("US.1".into()) };
    let notice = |about, event: &str, what| Notice {
        about,
        event: event.into(),
        status: "done".into(),
        stamped_at: Some(NOW / 1_000),
        caller: caller(),
        details: ConnectDetails::default(),
        what,
        digest: "5eed".into(),
        item: "{}".into(),
    };
    let of_call = |id: &str| NoticeSubject::Call { id: id.into(), number: Some("220".into()) };
    let number = || NoticeSubject::Number("220".into());
    let over = || NoticeKind::Over { errors: vec![138_021], talked_s: Some(9) };
    let settings = NoticeKind::Settings {
        calling: "enabled".into(),
        call_icon: String::new(),
        callback: String::new(),
        sip: String::new(),
        key_exchange: String::new(),
    };
    // A sort key of more than 1,024 bytes.
    let unfit = Notice { digest: "5".repeat(2_000), ..notice(number(), "unfit", NoticeKind::Unknown) };
    let batches = [
        vec![notice(of_call("wacid.1"), "connect", NoticeKind::Offer("v=0\r\n".into()))],
        vec![notice(of_call("wacid.2"), "terminate", over())],
        vec![
            notice(of_call("wacid.3"), "connect", NoticeKind::Offer("v=0\r\n".into())),
            notice(of_call("wacid.3"), "terminate", over()),
        ],
        vec![notice(number(), "settings", settings)],
        vec![notice(number(), "juggle", NoticeKind::Unknown)],
        vec![notice(
            NoticeSubject::Account("330".into()),
            "trouble",
            NoticeKind::Trouble { errors: vec![131_044] },
        )],
        vec![unfit],
    ];
    for batch in batches {
        let notices = Tombstones::default().redact(batch);
        for group in groups(notices, &house, &UnknownNumbers::default(), &SentMessages::default(), NOW) {
            intake.record_group(&group, NOW).await.unwrap();
        }
    }
}

async fn write_outbox(ledger: &Store) {
    let call: CallRef = "af7e7".into();
    let event = |event, n| {
        let key = OutboxKey::nth(&call, event, n);
        OutboxItem::new(&key, &"220".into(), Some("bike-shop"), NOW).about(&keys::left(n))
    };
    let left = |n| {
        Item::from(
            [("pk", keys::call(&call)), ("sk", keys::left(n))]
                .map(|(name, value)| (name.to_owned(), text(value))),
        )
    };
    ledger.put_with_event(left(1), &event(OutboxEvent::MessageTaken, 1)).await.unwrap();
    ledger.put_with_event(left(2), &event(OutboxEvent::CallbackRequested, 2)).await.unwrap();
    for (n, next) in [
        (3, Delivery::Again(NOW + 30_000)),
        (4, Delivery::Delivered),
        (5, Delivery::Refused),
        (6, Delivery::GivenUp),
    ] {
        let event = event(OutboxEvent::MessageTaken, n);
        ledger.put_into_outbox(&event).await.unwrap();
        let claim = ledger.claim_from_outbox(&event.key(), NOW, NOW + 90_000).await.unwrap();
        let OutboxClaim::Yours(claimed) = claim else { panic!("it is due") };
        let (status, why) = if n == 3 { (None, Some("timed_out")) } else { (Some(204), None) };
        assert!(ledger.finish_outbox_try(&claimed, &OutboxTry { next, status, why }, NOW + 7).await.unwrap());
    }
    let person = OutboxItem::new(&OutboxKey::of(&call, OutboxEvent::PersonWanted), &"220".into(), None, NOW);
    ledger.put_into_outbox(&person).await.unwrap();
    ledger.claim_from_outbox(&person.key(), NOW, NOW + 90_000).await.unwrap();
    assert!(!ledger.call_concluded(&call, Fence(2), NOW).await.unwrap());
    assert!(ledger.claim_host("shop.example", NOW, NOW + 90_000).await.unwrap());
    let mut ended = StoredCall::ringing(
        "wacid.9",
        &"220".into(),
        "v=0",
        CallerNames::default(),
        Timestamp(NOW),
        Duration::ZERO,
    );
    ended.call = Call { phase: Phase::Ended(Ending::CallerHungUp), fence: Fence(2), due: None, ..ended.call };
    let mut taken = ended.clone();
    taken.call.accepted_at = Some(Timestamp(NOW));
    let outcome = OutboxItem::of_ended(&taken, Some("bike-shop"), NOW).unwrap();
    ledger.put(to_item(&ended)).await.unwrap();
    ledger.save_call(&mut ended, &[], vec![], Some(&outcome)).await.unwrap().unwrap();
}

/// These are dated by the clock: their times are left out.
async fn write_conversation(ledger: &Store) {
    let diary = JournalWriter::open(ledger.clone());
    let line = TranscriptLine {
        place: 1,
        speaker: Speaker::Agent,
        text: "Good day".into(),
        at_ms: NOW,
        heard_ms: Some(900),
        of_ms: Some(1_200),
        took_ms: None,
        tool_ms: None,
        in_silence: false,
    };
    diary.keep_line(&CALL.into(), &line, 30);
    diary.keep_levels(&CALL.into(), &AudioLevels { from_ms: 80, caller: vec![0, 7], agent: vec![255] }, 30);
    diary.flush().await;
    let message = Message { message: "It squeaks".into(), caller_name: Some("Ada".into()), urgent: true };
    diary.caller_request(&CALL.into(), 1, 30).store("message", &message, None).await.unwrap();
    let callback = Callback { about: "A service".into(), when: None, number: None };
    diary.caller_request(&CALL.into(), 2, 30).store("callback", &callback, None).await.unwrap();
}

async fn table(ledger: &Store) -> Vec<(String, String)> {
    let mut items = vec![];
    ledger.scan(|item| items.push((name(&item), without_clock(item)))).await.unwrap();
    items.sort_by(|one, other| one.0.cmp(&other.0));
    items.into_iter().map(|(name, item)| (name, shape(&item))).collect()
}

fn name(item: &Item) -> String {
    let part = |name| item[name].as_s().unwrap();
    format!("{} {}", part("pk"), part("sk"))
}

fn without_clock(mut item: Item) -> Item {
    let sk = item["sk"].as_s().unwrap().clone();
    if [keys::LINES, keys::LEFT, keys::LEVELS].iter().any(|dated| sk.starts_with(dated)) {
        for name in [keys::TTL, "left_at_ms"] {
            if let Some(value) = item.get_mut(name) {
                assert!(matches!(value, AttributeValue::N(_)), "{name}");
                *value = number(0);
            }
        }
    }
    item
}

async fn ledger() -> Store {
    let database = dynoxide::Database::memory().unwrap();
    let key = |name, kind| json!({"AttributeName": name, "KeyType": kind});
    let text = |name| json!({"AttributeName": name, "AttributeType": "S"});
    let table: Value = json!({"TableName": "ahoy", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [text("pk"), text("sk"), text("gsi1pk"), text("gsi1sk")],
        "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
        "GlobalSecondaryIndexes": [{"IndexName": "gsi1", "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [key("gsi1pk", "HASH"), key("gsi1sk", "RANGE")]}]});
    database.create_table(serde_json::from_value(table).unwrap()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(format!("http://{}", listener.local_addr().unwrap()))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .build();
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    Store::new(aws_sdk_dynamodb::Client::from_conf(config), "ahoy")
}
