//! Puts a call through: the ring, the media until the end, and the webhooks around them.

use crate::call_webhooks::CallWebhooks;
use crate::cloud::Cloud;
use crate::external_call::ExternalCallTask;
use crate::offer::{Form, Offer};
use crate::offered::Offered;
use crate::relay::{Peer, Relay};
use crate::shared_call::SharedCall;
use crate::{CallerConfig, InjectedFault, wacid};
use anyhow::Context;
use sim_network::NetworkRelay;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};

/// A call that rings, and the future that puts it through.
pub(crate) async fn ring(
    cloud: Arc<Cloud>,
    caller: CallerConfig,
) -> anyhow::Result<(Arc<SharedCall>, impl Future<Output = ()>)> {
    cloud.sender.url()?;
    let socket =
        UdpSocket::bind(SocketAddr::new(caller.relay_ip, 0)).await.context("no UDP port for the relay")?;
    let address = socket.local_addr()?;
    let mut peer = Peer::new(address, caller.full_ice, Instant::now())?;
    let network = match caller.network {
        Some(network) => Some(NetworkRelay::open(network, caller.network_seed, address).await?),
        None => None,
    };
    let (orders, obeyed) = mpsc::unbounded_channel();
    let mut rng = cloud.rng();
    let form = Form {
        old: caller.old_offer_form,
        both_families: caller.ipv6_candidate,
        full_ice: caller.full_ice,
        variants: caller.offer.clone(),
    };
    let unix_ms = cloud.clock.unix_ms(Instant::now());
    let address = network.as_ref().map_or(address, NetworkRelay::near);
    let offer = Offer::fresh(address, peer.fingerprint(), unix_ms, form, &mut rng);
    peer.handle_offer(&offer.ufrag, &offer.pwd, offer.ssrc);
    let offered = Offered::read(&offer.sdp())?;
    let id = wacid::fresh(&digits_of(&caller), &cloud.config.display_phone_number, &mut rng);
    let (config, journal) = (&cloud.config, cloud.journal.clone());
    let call = SharedCall::ringing(id, offer.sdp(), offered, caller, config, orders, journal);
    let call = Arc::new(call.through(network));
    if call.faults.has(InjectedFault::RelayClosed) {
        // Connected to itself, it receives from no other socket, and no other socket can have its port.
        socket.connect(socket.local_addr()?).await?;
    }
    let relay = Relay::new(call.clone(), obeyed, socket, peer)?;
    cloud.add_call(call.clone());
    Ok((call.clone(), put_through(cloud, call, relay.run())))
}

/// A call that rings with an offer from elsewhere, whose media is not ours; the answer, once the business shows it; and
/// the future that puts the call through.
pub(crate) fn ring_with_offer(
    cloud: Arc<Cloud>,
    caller: CallerConfig,
    offer: String,
) -> anyhow::Result<(Arc<SharedCall>, watch::Receiver<Option<String>>, impl Future<Output = ()>)> {
    cloud.sender.url()?;
    let offered = Offered::read(&offer)?;
    let (orders, obeyed) = mpsc::unbounded_channel();
    let id = wacid::fresh(&digits_of(&caller), &cloud.config.display_phone_number, &mut cloud.rng());
    let (config, journal) = (&cloud.config, cloud.journal.clone());
    let call = Arc::new(SharedCall::ringing(id, offer, offered, caller, config, orders, journal));
    let (signalling, answer) = ExternalCallTask::new(call.clone(), obeyed);
    cloud.add_call(call.clone());
    Ok((call.clone(), answer, put_through(cloud, call, signalling.run())))
}

/// Real ids hold the caller's number; a caller without one lends the digits of the user id.
fn digits_of(caller: &CallerConfig) -> String {
    let name = caller.number.as_ref().unwrap_or(&caller.user_id);
    name.chars().filter(char::is_ascii_digit).collect()
}

async fn put_through(cloud: Arc<Cloud>, call: Arc<SharedCall>, media: impl Future<Output = ()>) {
    let webhooks = CallWebhooks::new(&cloud, &call);
    if call.faults.has(InjectedFault::OutOfOrder) {
        call.step(|signalling| signalling.hang_up(Instant::now()));
        media_and_terminate(&cloud, &call, &webhooks, media).await;
        return webhooks.connect().await;
    }
    // The caller may give up while the connect webhook is still being delivered.
    tokio::join!(media_and_terminate(&cloud, &call, &webhooks, media), webhooks.connect());
}

async fn media_and_terminate(
    cloud: &Cloud,
    call: &SharedCall,
    webhooks: &CallWebhooks<'_>,
    media: impl Future<Output = ()>,
) {
    media.await;
    let (ended, opaque) = call.with(|state| (state.signalling.ended(), state.opaque.clone()));
    let ended = ended.expect("media runs until the call has ended");
    tokio::time::sleep(cloud.config.timers.terminate_delay).await;
    webhooks.terminate(&ended, opaque.as_deref()).await;
}
