//! An open-loop flood of connections from two networks, at a fixed rate whether or not the control API keeps up.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// A host in call-control's network, with another address.
const SAME_NETWORK: &str = "127.0.0.2:0";

/// The hosts that flood, in two networks of their own. Call-control is in neither.
const STRANGERS: [&str; 2] = ["127.0.1.2:0", "127.0.2.2:0"];

/// Two thousand connections a second, twenty at once.
const EVERY: Duration = Duration::from_millis(10);
const AT_ONCE: usize = 20;

/// How long a connection waits for the control API.
const STAYS: Duration = Duration::from_secs(1);

/// The first bytes of a TLS handshake: a hello of half a kilobyte, of which no more comes.
const HALF_A_HELLO: [u8; 11] = [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3];

/// A flood, until it is dropped.
pub struct Flood {
    counted: Arc<Counted>,
    _opening: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Counted {
    made: AtomicU64,
    dropped: AtomicU64,
}

impl Flood {
    /// Begins to flood the control API at this address.
    pub fn of(address: &str) -> Self {
        let address = address.parse().expect("the lease has an address");
        let (counted, mut opening) = (Arc::<Counted>::default(), JoinSet::new());
        opening.spawn(open(address, counted.clone()));
        Self { counted, _opening: opening }
    }

    /// How many connections were made so far.
    pub fn made(&self) -> u64 {
        self.counted.made.load(Ordering::Relaxed)
    }

    /// How many of them the control API reset.
    pub fn dropped(&self) -> u64 {
        self.counted.dropped.load(Ordering::Relaxed)
    }
}

async fn open(address: SocketAddr, counted: Arc<Counted>) {
    let (mut connections, mut next) = (JoinSet::new(), interval(EVERY));
    next.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        tokio::select! {
            _ = next.tick() => {
                for n in 0..AT_ONCE {
                    let (host, is_silent) = (STRANGERS[n % STRANGERS.len()], n % 4 < 2);
                    let counted = counted.clone();
                    connections.spawn(async move {
                        drop(timeout(STAYS, open_connection(host, address, is_silent, &counted)).await)
                    });
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Connects to a control API from a host in call-control's network.
pub async fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    connect_from(SAME_NETWORK, address).await
}

async fn connect_from(host: &str, address: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(host.parse().expect("it is an address"))?;
    socket.connect(address).await
}

async fn open_connection(host: &str, address: SocketAddr, is_silent: bool, counted: &Counted) {
    let connected = connect_from(host, address).await;
    // The control API may have reset a connection by the time its host looks at it.
    let was_made = connected.as_ref().map_or_else(is_reset, |_| true);
    counted.made.fetch_add(was_made.into(), Ordering::Relaxed);
    let stay = async {
        let mut stream = connected?;
        if !is_silent {
            stream.write_all(&HALF_A_HELLO).await?;
        }
        stream.read_to_end(&mut vec![]).await
    };
    let was_dropped = stay.await.is_err_and(|error| is_reset(&error));
    counted.dropped.fetch_add(was_dropped.into(), Ordering::Relaxed);
}

fn is_reset(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}
