//! Clients of a control API that never finish a request: they connect and say nothing, break off in the
//! middle of a handshake, or send half a request.

use harness::{Story, connection_flood, raw_control_api};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

/// The number of clients at once.
const CLIENTS: usize = 60;

/// A client that is not refused within this disconnects, and connects again.
const STAYS: Duration = Duration::from_secs(2);

/// How soon a refused client connects again.
const COMES_BACK: Duration = Duration::from_millis(200);

/// The first bytes of a TLS handshake: a hello of half a kilobyte, of which no more comes.
const HALF_A_HELLO: [u8; 11] = [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3];

/// The first line of a request.
const HALF_A_HEAD: &[u8] = b"POST /v1/calls/unknown HTTP/1.1\r\nhost: media-ta";

/// A whole head, and a little of its body.
const HALF_A_BODY: &[u8] =
    b"POST /v1/calls/unknown HTTP/1.1\r\nhost: t\r\ncontent-length: 100000\r\n\r\n{\"fence\":";

pub(super) async fn crowd(story: &Story, lasts: Duration) {
    let leases = story.stack.store.ready_tasks().await.expect("the table can be read");
    let door = leases.first().expect("a media task is ready").door.parse().expect("the lease has an address");
    let (tls, until) = (TlsConnector::from(raw_control_api::trusting()), Instant::now() + lasts);
    let mut clients = JoinSet::new();
    for n in 0..CLIENTS {
        let tls = tls.clone();
        clients.spawn(async move {
            let (mut visits, mut next) = (0, interval(COMES_BACK));
            while Instant::now() < until {
                next.tick().await;
                let stays = timeout_at(until, visit(door, &tls, n)).await;
                visits += usize::from(stays.is_ok_and(|was_there| was_there));
            }
            visits
        });
    }
    let visits = clients.join_all().await;
    assert!(visits.iter().sum::<usize>() >= CLIENTS, "the control API was flooded: {visits:?}");
}

/// Whether the client got as far as it wanted, and stayed until it was refused or gave up.
async fn visit(door: SocketAddr, tls: &TlsConnector, n: usize) -> bool {
    let Ok(mut stream) = connection_flood::connect(door).await else { return false };
    let half = match n % 4 {
        0 => return stay(stream).await,
        1 => {
            let sent = stream.write_all(&HALF_A_HELLO).await.is_ok();
            return sent && stay(stream).await;
        }
        2 => HALF_A_HEAD,
        _ => HALF_A_BODY,
    };
    let name = ServerName::try_from("media-task").expect("it is a name");
    let Ok(Ok(mut stream)) = timeout(STAYS, tls.connect(name, stream)).await else { return false };
    stream.write_all(half).await.is_ok() && stream.flush().await.is_ok() && stay(stream).await
}

async fn stay(mut stream: impl AsyncRead + Unpin) -> bool {
    let _ = timeout(STAYS, stream.read_to_end(&mut vec![])).await;
    true
}
