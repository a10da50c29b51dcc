//! Puts a call through: the ring, the media until the end, and the webhooks around them.

use crate::cloud::Cloud;
use crate::foreign::ForeignSignalling;
use crate::offer::{Form, Offer};
use crate::offered::Offered;
use crate::posting::Posting;
use crate::relay::{Peer, Relay};
use crate::shared_call::SharedCall;
use crate::{CallerConfig, InjectedFault, wacid};
use anyhow::Context;
use sim_network::Road;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};

/// A call that rings, and the future that puts it through.
///
/// # Errors
/// When there is no webhook to tell, no port to listen on, or no codec.
pub(crate) async fn ring(
    cloud: Arc<Cloud>,
    caller: CallerConfig,
) -> anyhow::Result<(Arc<SharedCall>, impl Future<Output = ()>)> {
    cloud.postman.url()?;
    let socket =
        UdpSocket::bind(SocketAddr::new(caller.relay_ip, 0)).await.context("no UDP port for the relay")?;
    let address = socket.local_addr()?;
    let mut peer = Peer::new(address, caller.full_ice, Instant::now())?;
    let road = match caller.network {
        Some(network) => Some(Road::open(network, caller.network_seed, address).await?),
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
    let address = road.as_ref().map_or(address, Road::near);
    let offer = Offer::fresh(address, peer.fingerprint(), unix_ms, form, &mut rng);
    peer.handle_offer(&offer.ufrag, &offer.pwd, offer.ssrc);
    let offered = Offered::read(&offer.sdp())?;
    let id = wacid::fresh(&digits_of(&caller), &cloud.config.display_phone_number, &mut rng);
    let (config, journal) = (&cloud.config, cloud.journal.clone());
    let line = SharedCall::ringing(id, offer.sdp(), offered, caller, config, orders, journal);
    let line = Arc::new(line.through(road));
    if line.plot.does(InjectedFault::RelayClosed) {
        // Connected to itself, it receives from no other socket, and no other socket can have its port.
        socket.connect(socket.local_addr()?).await?;
    }
    let relay = Relay::new(line.clone(), obeyed, socket, peer)?;
    cloud.add_line(line.clone());
    Ok((line.clone(), put_through(cloud, line, relay.run())))
}

/// A call that rings with an offer from elsewhere, whose media is not ours; the answer, once the business shows it; and
/// the future that puts the call through.
///
/// # Errors
/// When there is no webhook to tell, or the offer cannot be read.
pub(crate) fn ring_with_offer(
    cloud: Arc<Cloud>,
    caller: CallerConfig,
    offer: String,
) -> anyhow::Result<(Arc<SharedCall>, watch::Receiver<Option<String>>, impl Future<Output = ()>)> {
    cloud.postman.url()?;
    let offered = Offered::read(&offer)?;
    let (orders, obeyed) = mpsc::unbounded_channel();
    let id = wacid::fresh(&digits_of(&caller), &cloud.config.display_phone_number, &mut cloud.rng());
    let (config, journal) = (&cloud.config, cloud.journal.clone());
    let line = Arc::new(SharedCall::ringing(id, offer, offered, caller, config, orders, journal));
    let (signalling, answer) = ForeignSignalling::new(line.clone(), obeyed);
    cloud.add_line(line.clone());
    Ok((line.clone(), answer, put_through(cloud, line, signalling.run())))
}

/// Real ids hold the caller's number; a caller without one lends the digits of the user id.
fn digits_of(caller: &CallerConfig) -> String {
    let name = caller.number.as_ref().unwrap_or(&caller.user_id);
    name.chars().filter(char::is_ascii_digit).collect()
}

async fn put_through(cloud: Arc<Cloud>, line: Arc<SharedCall>, media: impl Future<Output = ()>) {
    let posting = Posting::new(&cloud, &line);
    if line.plot.does(InjectedFault::OutOfOrder) {
        line.live(|life| life.hang_up(Instant::now()));
        media_and_terminate(&cloud, &line, &posting, media).await;
        return posting.connect().await;
    }
    // The caller may give up while the connect webhook is still being delivered.
    tokio::join!(media_and_terminate(&cloud, &line, &posting, media), posting.connect());
}

async fn media_and_terminate(
    cloud: &Cloud,
    line: &SharedCall,
    posting: &Posting<'_>,
    media: impl Future<Output = ()>,
) {
    media.await;
    let (ended, opaque) = line.with(|state| (state.life.ended(), state.opaque.clone()));
    let ended = ended.expect("media runs until the call has ended");
    tokio::time::sleep(cloud.config.timers.terminate_delay).await;
    posting.terminate(&ended, opaque.as_deref()).await;
}
