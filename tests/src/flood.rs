//! An open-loop flood of connections from one host, which opens so many a second however the door fares.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// The host that floods: not the one call-control is at.
const HOST: &str = "127.0.0.2:0";

/// Two thousand connections a second, twenty at once.
const EVERY: Duration = Duration::from_millis(10);
const AT_ONCE: u64 = 20;

/// How long a connection waits for the door.
const STAYS: Duration = Duration::from_secs(1);

/// The first bytes of a TLS handshake: a hello of half a kilobyte, of which no more comes.
const HALF_A_HELLO: [u8; 11] = [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3];

/// A flood, until it is dropped.
pub struct Flood {
    begun: Arc<AtomicU64>,
    _opening: JoinSet<()>,
}

impl Flood {
    /// Begins to flood the door at this address.
    pub fn of(door: &str) -> Self {
        let door = door.parse().expect("a door is an address");
        let (begun, mut opening) = (Arc::<AtomicU64>::default(), JoinSet::new());
        opening.spawn(open(door, begun.clone()));
        Self { begun, _opening: opening }
    }

    /// How many connections were begun so far.
    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }
}

async fn open(door: SocketAddr, begun: Arc<AtomicU64>) {
    let (mut connections, mut next) = (JoinSet::new(), interval(EVERY));
    next.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        tokio::select! {
            _ = next.tick() => {
                for _ in 0..AT_ONCE {
                    let is_silent = begun.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
                    connections.spawn(async move { drop(timeout(STAYS, knock(door, is_silent)).await) });
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Connects to a door from the host that floods.
///
/// # Errors
/// When the door takes no connection.
pub async fn connect(door: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(HOST.parse().expect("it is an address"))?;
    socket.connect(door).await
}

async fn knock(door: SocketAddr, is_silent: bool) -> std::io::Result<()> {
    let mut stream = connect(door).await?;
    if !is_silent {
        stream.write_all(&HALF_A_HELLO).await?;
    }
    stream.read_to_end(&mut vec![]).await?;
    Ok(())
}
