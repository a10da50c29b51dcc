//! A network on this machine: two paths between real UDP sockets, on loopback only.

use crate::Profile;
use crate::path::{Direction, LinkCounts, Path};
use bytes::Bytes;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

const LARGEST_DATAGRAM: usize = 2_000;

/// Long enough for nothing to happen in.
const IDLE: Duration = Duration::from_secs(3_600);

/// The path between a caller and the sender to [`NetworkRelay::near`]. Dropping it closes it.
#[derive(Debug)]
pub struct NetworkRelay {
    near: SocketAddr,
    counts: Arc<Mutex<(LinkCounts, LinkCounts)>>,
    _traffic: JoinSet<()>,
}

impl NetworkRelay {
    /// Opens the way to a caller at `caller`, which must be on loopback.
    pub async fn open(profile: Profile, seed: u64, caller: SocketAddr) -> io::Result<Self> {
        if !caller.ip().is_loopback() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a relay stays on this machine"));
        }
        let far = bind(caller.ip()).await?;
        far.connect(caller).await?;
        let near = bind(caller.ip()).await?;
        let (address, counts) = (near.local_addr()?, Arc::default());
        let traffic = Traffic {
            near,
            far,
            task: None,
            up: Path::new(profile, Direction::Up, seed),
            down: Path::new(profile, Direction::Down, seed),
            counts: Arc::clone(&counts),
        };
        Ok(Self { near: address, counts, _traffic: JoinSet::from_iter([traffic.flow()]) })
    }

    /// Where to send to, in place of the caller.
    pub fn near(&self) -> SocketAddr {
        self.near
    }

    /// Counts of the caller's packets of sound, by outcome.
    pub fn up(&self) -> LinkCounts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Counts of the packets of sound to the caller, by outcome.
    pub fn down(&self) -> LinkCounts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}

async fn bind(ip: IpAddr) -> io::Result<UdpSocket> {
    UdpSocket::bind((ip, 0)).await
}

struct Traffic {
    near: UdpSocket,
    far: UdpSocket,
    /// Who sends to the near end: one for the whole of a call.
    task: Option<SocketAddr>,
    up: Path,
    down: Path,
    counts: Arc<Mutex<(LinkCounts, LinkCounts)>>,
}

enum Fact {
    FromTask(usize, SocketAddr),
    FromCaller(usize),
    Nothing,
}

impl Traffic {
    async fn flow(mut self) {
        let (mut from_task, mut from_caller) = ([0; LARGEST_DATAGRAM], [0; LARGEST_DATAGRAM]);
        loop {
            let deadline = self.deliver().await;
            let fact = tokio::select! {
                Ok((length, from)) = self.near.recv_from(&mut from_task) => Fact::FromTask(length, from),
                Ok(length) = self.far.recv(&mut from_caller) => Fact::FromCaller(length),
                () = tokio::time::sleep_until(deadline.into()) => Fact::Nothing,
            };
            let now = Instant::now();
            match fact {
                Fact::FromTask(length, from) => {
                    self.task = Some(from);
                    self.down.handle_datagram(Bytes::copy_from_slice(&from_task[..length]), now);
                }
                Fact::FromCaller(length) => {
                    self.up.handle_datagram(Bytes::copy_from_slice(&from_caller[..length]), now);
                }
                Fact::Nothing => continue,
            }
            *self.counts.lock().unwrap_or_else(PoisonError::into_inner) =
                (self.up.counts(), self.down.counts());
        }
    }

    /// Lets arrive what has arrived; tells when there is more.
    async fn deliver(&mut self) -> Instant {
        let now = Instant::now();
        // A receiver that is gone gets nothing, as on any network.
        while let Some(datagram) = self.down.poll_datagram(now) {
            let _ = self.far.send(&datagram).await;
        }
        while let Some(datagram) = self.up.poll_datagram(now) {
            if let Some(task) = self.task {
                let _ = self.near.send_to(&datagram, task).await;
            }
        }
        let next = [self.up.poll_timeout(), self.down.poll_timeout()];
        next.into_iter().flatten().min().unwrap_or(now + IDLE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_datagram_goes_there_and_back_and_takes_its_time() {
        let caller = bind(IpAddr::from([127, 0, 0, 1])).await.unwrap();
        let task = bind(IpAddr::from([127, 0, 0, 1])).await.unwrap();
        let relay = NetworkRelay::open(Profile::Clean, 1, caller.local_addr().unwrap()).await.unwrap();
        let (mut buffer, began) = ([0; 100], Instant::now());

        task.send_to(&[0x80, 111, 1], relay.near()).await.unwrap();
        let (length, far) = caller.recv_from(&mut buffer).await.unwrap();
        caller.send_to(&buffer[..length], far).await.unwrap();
        let (length, from) = task.recv_from(&mut buffer).await.unwrap();

        assert_eq!((&buffer[..length], from), (&[0x80, 111, 1][..], relay.near()));
        assert!(began.elapsed() >= Duration::from_millis(20));
        assert_eq!((relay.up().packets, relay.down().packets), (1, 1));
    }

    #[tokio::test]
    async fn a_road_does_not_leave_the_machine() {
        let stranger = SocketAddr::from(([203, 0, 113, 9], 9));

        assert!(NetworkRelay::open(Profile::Clean, 1, stranger).await.is_err());
    }
}
