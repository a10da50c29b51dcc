//! Puts a call through: the ring, the media until the end, and the webhooks around them.

use crate::cloud::Cloud;
use crate::line::Line;
use crate::offer::{Form, Offer};
use crate::posting::Posting;
use crate::relay::{Peer, Relay};
use crate::{CallerConfig, Mischief, wacid};
use anyhow::Context;
use network::Road;
use std::sync::Arc;
use std::time::Instant;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

/// A call that rings, and the future that puts it through.
///
/// # Errors
/// When there is no webhook to tell, no port to listen on, or no codec.
pub(crate) async fn ring(
    cloud: Arc<Cloud>,
    caller: CallerConfig,
) -> anyhow::Result<(Arc<Line>, impl Future<Output = ()>)> {
    cloud.postman.url()?;
    let socket = UdpSocket::bind("127.0.0.1:0").await.context("no UDP port for the relay")?;
    let address = socket.local_addr()?;
    let mut peer = Peer::new(address, Instant::now())?;
    let road = match caller.network {
        Some(network) => Some(Road::open(network, caller.network_seed, address).await?),
        None => None,
    };
    let (orders, obeyed) = mpsc::unbounded_channel();
    let mut chance = cloud.chance();
    let form = Form { old: caller.old_offer_form, ipv6: caller.ipv6_candidate };
    let unix_ms = cloud.clock.unix_ms(Instant::now());
    let address = road.as_ref().map_or(address, Road::near);
    let offer = Offer::fresh(address, peer.fingerprint(), unix_ms, form, &mut chance);
    peer.handle_offer(&offer.ufrag, &offer.pwd, offer.ssrc);
    let id = wacid::fresh(&digits_of(&caller), &cloud.config.display_phone_number, &mut chance);
    let line = Arc::new(Line::ringing(id, offer, caller, road, &cloud.config, orders, cloud.journal.clone()));
    let relay = Relay::new(line.clone(), obeyed, socket, peer)?;
    cloud.add_line(line.clone());
    Ok((line.clone(), put_through(cloud, line, relay)))
}

/// Real ids hold the caller's number; a caller without one lends the digits of the user id.
fn digits_of(caller: &CallerConfig) -> String {
    let name = caller.number.as_ref().unwrap_or(&caller.user_id);
    name.chars().filter(char::is_ascii_digit).collect()
}

async fn put_through(cloud: Arc<Cloud>, line: Arc<Line>, relay: Relay) {
    let posting = Posting::new(&cloud, &line);
    if line.plot.does(Mischief::OutOfOrder) {
        line.live(|life| life.hang_up(Instant::now()));
        relay_and_terminate(&cloud, &line, &posting, relay).await;
        return posting.connect().await;
    }
    // The caller may give up while the connect webhook is still being delivered.
    tokio::join!(relay_and_terminate(&cloud, &line, &posting, relay), posting.connect());
}

async fn relay_and_terminate(cloud: &Cloud, line: &Line, posting: &Posting<'_>, relay: Relay) {
    relay.run().await;
    let (ended, opaque) = line.with(|state| (state.life.ended(), state.opaque.clone()));
    let ended = ended.expect("the relay runs until the call has ended");
    tokio::time::sleep(cloud.config.timers.terminate_delay).await;
    posting.terminate(&ended, opaque.as_deref()).await;
}
