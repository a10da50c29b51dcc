//! The configuration of the simulated Meta and its callers: identities, faults and timeouts.

use crate::{InjectedFault, OfferVariant, Replaying};
use sim_network::Profile;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// Meta's side: its secrets, our number, and its faults.
#[derive(Debug, Clone)]
pub struct MetaConfig {
    /// Signs the webhooks.
    pub app_secret: String,
    /// What the webhook's verification GET brings.
    pub verify_token: String,
    /// The bearer token Graph asks for.
    pub access_token: String,
    /// The id of the business number that is called.
    pub phone_number_id: String,
    /// That number, digits only.
    pub display_phone_number: String,
    /// Where Graph listens on 127.0.0.1; 0 for any free port.
    pub graph_port: u16,
    /// How long a call rings before Meta ends it. Meta documents "about 30 to 60 seconds".
    pub ring: Duration,
    /// Added to each reply of Graph.
    pub graph_delay: Duration,
    /// The other waits.
    pub timers: Timers,
    /// What goes wrong with every call, if anything; [`CallerConfig::faults`] adds to it.
    pub fault: Option<InjectedFault>,
    /// Decides every fresh value and the order of keys in webhooks.
    pub seed: u64,
}

impl Default for MetaConfig {
    fn default() -> MetaConfig {
        MetaConfig {
            app_secret: "an app secret".to_owned(),
            verify_token: "a verify token".to_owned(),
            access_token: "an access token".to_owned(),
            phone_number_id: "220000000000002".to_owned(),
            display_phone_number: "15550001111".to_owned(),
            graph_port: 0,
            ring: Duration::from_secs(45),
            graph_delay: Duration::ZERO,
            timers: Timers::default(),
            fault: None,
            seed: 1,
        }
    }
}

/// How long Meta waits for things.
#[derive(Debug, Clone)]
pub struct Timers {
    /// From `accept` to the first RTP packet; then the call fails with 138021. Meta documents 20 s.
    pub first_media: Duration,
    /// Without RTP and RTCP in mid-call; then the call fails. Meta documents 30 s.
    pub mid_call_media: Duration,
    /// From the end of a call to its `terminate` webhook: 2 s in the one log we know, shorter here.
    pub terminate_delay: Duration,
    /// How long one delivery of a webhook may take. Meta documents 20 s.
    pub webhook_timeout: Duration,
    /// The pauses before a webhook is sent again; then Meta gives up.
    pub webhook_retries: Vec<Duration>,
    /// What [`InjectedFault::GraphSlow`] adds to each reply, and [`InjectedFault::SlowPreAccept`] to one.
    pub slow_graph: Duration,
    /// How long after Graph took a message [`InjectedFault::MessageFails`] reports that it failed.
    pub message_fails: Duration,
    /// How long after the ring began [`InjectedFault::LateConnect`] lets `connect` come.
    pub late_connect: Duration,
}

impl Default for Timers {
    fn default() -> Timers {
        Timers {
            first_media: Duration::from_secs(20),
            mid_call_media: Duration::from_secs(30),
            terminate_delay: Duration::from_millis(200),
            webhook_timeout: Duration::from_secs(20),
            webhook_retries: [500, 1_000, 2_000, 4_000, 8_000].map(Duration::from_millis).to_vec(),
            slow_graph: Duration::from_secs(5),
            message_fails: Duration::from_secs(1),
            late_connect: Duration::from_secs(6),
        }
    }
}

/// Who calls, and from what kind of phone.
#[derive(Debug, Clone)]
pub struct CallerConfig {
    /// The caller's number, digits only; `None` when the caller hides it behind a username.
    pub number: Option<String>,
    /// The business-scoped user id, such as `IN.55501234567890123456`.
    pub user_id: String,
    /// The name in the caller's profile.
    pub name: String,
    /// The caller's user name, if any.
    pub username: Option<String>,
    /// The payload of the link that the caller follows, if any.
    pub deeplink_payload: Option<String>,
    /// The payload of the call button that the caller presses, if any.
    pub cta_payload: Option<String>,
    /// Where the relay listens: 127.0.0.1, or ::1.
    pub relay_ip: IpAddr,
    /// Whether the offer has a candidate of the other address family too, as Meta's have. Nothing answers there.
    pub ipv6_candidate: bool,
    /// Whether the relay is a full ICE peer that checks and controls, as no relay of Meta's is.
    pub full_ice: bool,
    /// Whether the offer has the older form that Meta's documentation prints.
    pub old_offer_form: bool,
    /// What the offer has that none of Meta's has had so far.
    pub offer: Vec<OfferVariant>,
    /// Whether the phone sends nothing before it was sent something, as Meta warns it may.
    pub waits_for_media: bool,
    /// How long without a voiced frame the agent counts as silent.
    pub quiet: Duration,
    /// What goes wrong with this call, all of it at once.
    pub faults: Vec<InjectedFault>,
    /// Whether what the speaker plays is kept: 48 kB for each second of the call.
    pub keeps_recording: bool,
    /// Whether the phone spends less on sound, for load: what it says is narrowband, at 12 kbit/s.
    pub spares_effort: bool,
    /// What the phone says over and over instead of listening to anything: for load. It only counts what comes.
    pub replays: Option<Replaying>,
    /// What network the phone is in; `None`: none at all, as near as loopback is. In a network the phone protects what
    /// it says against loss.
    pub network: Option<Profile>,
    /// Decides what befalls this call's datagrams there.
    pub network_seed: u64,
}

impl Default for CallerConfig {
    fn default() -> CallerConfig {
        CallerConfig {
            number: Some("919900000001".to_owned()),
            user_id: "IN.55501234567890123456".to_owned(),
            name: "Zoë".to_owned(),
            username: Some("zoe.planted".to_owned()),
            deeplink_payload: Some("planted-campaign-42".to_owned()),
            cta_payload: Some("planted-button-7".to_owned()),
            relay_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            ipv6_candidate: true,
            full_ice: false,
            old_offer_form: false,
            offer: Vec::new(),
            waits_for_media: true,
            quiet: Duration::from_millis(600),
            faults: Vec::new(),
            keeps_recording: true,
            spares_effort: false,
            replays: None,
            network: None,
            network_seed: 1,
        }
    }
}

impl CallerConfig {
    /// One caller of many: number, user id and name are all its own, the phone keeps no recording and spares effort.
    pub fn of_many(n: u32) -> CallerConfig {
        CallerConfig {
            number: Some(format!("9199{n:08}")),
            user_id: format!("IN.5550{n:016}"),
            name: format!("Caller {n}"),
            keeps_recording: false,
            spares_effort: true,
            ..CallerConfig::default()
        }
    }
}
