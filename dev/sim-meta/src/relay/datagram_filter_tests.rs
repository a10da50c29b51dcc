//! Datagrams that the relay lets in, and those that it flags.

use super::*;
use str0m::ice::{StunMessageBuilder, TransId};

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const PWD: &str = "+219v9nKr3xSQIn8s+Fy8g==";
const RTP: [u8; 12] = [0x80, 111, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const RTCP: [u8; 4] = [0x80, 200, 0, 0];
const DTLS: [u8; 2] = [22, 254];

#[test]
fn nothing_gets_in_before_the_answer_and_a_client_hello_is_flagged() {
    let mut filter = DatagramFilter::new(PWD, false, &[]);

    assert_eq!(filter.judge(&check(false, PWD), HERE), Decision::dropped(None));
    assert_eq!(filter.judge(&DTLS, HERE), Decision::dropped(Some(ProtocolViolation::EarlyClientHello)));
}

#[test]
fn sound_before_accept_is_lost_and_flagged() {
    let mut filter = answered(None);

    assert_eq!(filter.judge(&RTP, HERE), Decision::dropped(Some(ProtocolViolation::EarlyMedia)));
    assert_eq!(filter.judge(&RTCP, HERE), Decision::pass(None));
    assert_eq!(filter.early(), Early { packets: 1, reports: 1 });

    filter.open();
    assert_eq!(filter.judge(&RTP, HERE), Decision::pass(None));
}

#[test]
fn a_controlling_agents_check_is_let_in() {
    assert_eq!(answered(None).judge(&check(false, PWD), HERE), Decision::pass(None));
}

#[test]
fn a_controlled_agent_gets_487_every_time() {
    let mut filter = answered(None);

    for _ in 0..20 {
        let decision = filter.judge(&check(true, PWD), HERE);

        let Route::Reply(reply) = decision.route else { panic!("a reply") };
        let reply = StunMessage::parse(&reply).unwrap();
        assert_eq!(reply.error_code().map(|(code, _)| code), Some(487));
        assert_eq!(decision.fault, Some(ProtocolViolation::ControlledAgent));
    }
}

#[test]
fn a_stranger_gets_no_487() {
    let decision = answered(None).judge(&check(true, "another password"), HERE);

    assert_eq!(decision, Decision::pass(None), "the peer drops it");
}

#[test]
fn dtls_before_a_path_is_flagged() {
    let mut filter = answered(None);
    assert_eq!(filter.judge(&DTLS, HERE).fault, Some(ProtocolViolation::DtlsBeforeIce));

    filter.handle_path();

    assert_eq!(filter.judge(&DTLS, HERE), Decision::pass(None));
}

#[test]
fn injected_faults_drop_checks_or_handshakes_silently() {
    let decision = answered(Some(InjectedFault::IceNever)).judge(&check(false, PWD), HERE);
    assert_eq!(decision, Decision::dropped(None));
    assert_eq!(answered(Some(InjectedFault::DtlsNever)).judge(&DTLS, HERE), Decision::dropped(None));
}

#[test]
fn a_controlling_relay_refuses_checks_of_a_controlling_agent() {
    let decision = answered(Some(InjectedFault::RoleConflict)).judge(&check(false, PWD), HERE);

    let Route::Reply(reply) = decision.route else { panic!("a reply") };
    let reply = StunMessage::parse(&reply).unwrap();
    assert_eq!(reply.error_code().map(|(code, _)| code), Some(487));
    assert_eq!(decision.fault, None, "the agent does nothing wrong");
}

#[test]
fn a_relay_that_trusts_the_answer_alone_ignores_other_addresses() {
    let mut filter = answered(Some(InjectedFault::AdvertisedOnly));
    let elsewhere = IpAddr::from([127, 0, 0, 2]);

    assert_eq!(filter.judge(&check(false, PWD), elsewhere), Decision::dropped(None));
    assert_eq!(filter.judge(&check(false, PWD), HERE), Decision::pass(None));
}

#[test]
fn an_agent_that_is_not_to_be_heard_sends_into_the_void() {
    let mut filter = answered(Some(InjectedFault::AgentUnheard));
    filter.open();

    assert_eq!(filter.judge(&RTP, HERE), Decision::dropped(None));
    assert_eq!(filter.judge(&RTCP, HERE), Decision::pass(None));
}

#[test]
fn a_strict_relay_answers_only_nominating_checks_once_there_is_a_path() {
    let mut filter = answered(Some(InjectedFault::StrictRelay));
    assert_eq!(filter.judge(&check(false, PWD), HERE), Decision::pass(None));

    filter.handle_path();

    let refused = Decision::dropped(Some(ProtocolViolation::CheckWithoutNomination));
    assert_eq!(filter.judge(&check(false, PWD), HERE), refused);
    assert_eq!(filter.judge(&nominating(), HERE), Decision::pass(None));
}

#[test]
fn a_relay_that_leaves_checks_unanswered_answers_those_before_a_path() {
    let mut filter = answered(Some(InjectedFault::ChecksUnanswered));
    assert_eq!(filter.judge(&nominating(), HERE), Decision::pass(None));

    filter.handle_path();

    assert_eq!(filter.judge(&nominating(), HERE), Decision::dropped(None));
}

fn answered(fault: Option<InjectedFault>) -> DatagramFilter {
    let mut filter = DatagramFilter::new(PWD, false, fault.as_slice());
    filter.handle_answer([HERE].into_iter());
    filter
}

fn nominating() -> Vec<u8> {
    request(false, true, PWD)
}

fn check(controlled: bool, pwd: &str) -> Vec<u8> {
    request(controlled, false, pwd)
}

fn request(controlled: bool, nominates: bool, pwd: &str) -> Vec<u8> {
    let request = StunMessageBuilder::new().binding().request().username("relay:agent").prio(1);
    let request = if controlled { request.ice_controlled(9) } else { request.ice_controlling(9) };
    let request = if nominates { request.use_candidate() } else { request };
    let hmac = str0m::crypto::from_feature_flags().sha1_hmac_provider;
    let mut bytes = vec![0; 200];
    let length = request
        .build(TransId::new())
        .to_bytes(Some(pwd.as_bytes()), &mut bytes, |key, parts| hmac.sha1_hmac(key, parts))
        .unwrap();
    bytes.truncate(length);
    bytes
}
