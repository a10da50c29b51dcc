//! The networks that people call from, by name.
//!
//! The numbers are models, argued for one by one. The frame they stay in is ITU-T G.1050 (TIA-921), which tests IP
//! telephony on three kinds of network: well managed (A: up to 50 ms of jitter, 0.05 % loss), partially managed (B: up to
//! 150 ms, 2 %), unmanaged (C: up to 500 ms, 20 %). Here `wifi` and `cellular` are good days of B, `wifi-lossy`,
//! `cellular-handover` and `satellite` its bad ones, and `congested` is C.

use crate::{Break, Conditions, Loss, Meanwhile, Swing};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use strum::{IntoStaticStr, VariantArray};

/// A kind of network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Profile {
    /// A cable to the next room: 10 ms, and nothing else. What is measured through it is the product alone.
    Clean,
    /// Every twentieth datagram is lost, each by itself: the classical test of error correction, and of nothing else.
    #[strum(serialize = "random-5")]
    Random5,
    /// A home's WLAN with its air to itself: little is lost, since the link layer repeats, and repeating is what makes
    /// the jitter: 802.11 tries a frame up to seven times, 1 to 10 ms in all.
    Wifi,
    /// The same behind two walls beside the neighbours': retries run out for several frames in a row, and air that is
    /// not free delays all of a while.
    WifiLossy,
    /// LTE in a good cell: hybrid repeat requests of 8 ms each make jitter, the radio bearer keeps the order, and
    /// hardly anything is lost (the bearer of voice, QCI 1, may lose 1 %: 3GPP TS 23.203, table 6.1.7).
    Cellular,
    /// The same in a train: every seven seconds a handover, for 150 ms, in which the old cell hands what it holds to
    /// the new one. The radio's own break is about 50 ms; with the path behind it, 50 to 500 ms are reported.
    CellularHandover,
    /// Low orbit: median round trip 50 ms, quartiles 40 and 60 (UCLouvain's campaign of 2022, told at
    /// blog.apnic.net, "Fact checking Starlink's performance figures"); the paths change every 15 s, all at once
    /// (arXiv:2310.09242), and then a short while is lost.
    Satellite,
    /// A line that other traffic fills: queues of up to some hundred milliseconds that come and go within a second,
    /// and that overflow in bursts.
    Congested,
    /// Clean but for three seconds in which nothing gets through, twenty seconds after the first datagram.
    #[strum(serialize = "outage")]
    ConnectionLoss,
}

/// There is no such profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownProfile(String);

impl Profile {
    /// All of them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Its name.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What either direction is like.
    pub fn conditions(self) -> Conditions {
        match self {
            Self::Clean => CLEAN,
            Self::Random5 => Conditions { loss: Loss::Random(0.05), ..CLEAN },
            Self::Wifi => WIFI,
            Self::WifiLossy => Conditions {
                jitter: ms(6),
                swing: swing(15, 300),
                loss: Loss::Bursts { rate: 0.03, length: 2.5 },
                reorder: 0.002,
                duplicate: 0.001,
                ..WIFI
            },
            Self::Cellular => CELLULAR,
            Self::CellularHandover => Conditions {
                loss: Loss::Bursts { rate: 0.005, length: 3.0 },
                breaks: Some(repeating(4_000, 150, 7_000, Meanwhile::Held)),
                ..CELLULAR
            },
            Self::Satellite => Conditions {
                delay: ms(22),
                jitter: ms(3),
                swing: swing(5, 1_000),
                loss: Loss::Bursts { rate: 0.01, length: 3.0 },
                breaks: Some(repeating(6_000, 100, 15_000, Meanwhile::Lost)),
                ..CLEAN
            },
            Self::Congested => Conditions {
                delay: ms(40),
                jitter: ms(8),
                swing: swing(60, 600),
                loss: Loss::Bursts { rate: 0.05, length: 3.0 },
                reorder: 0.001,
                ..CLEAN
            },
            Self::ConnectionLoss => Conditions {
                breaks: Some(Break { every: None, ..repeating(20_000, 3_000, 1, Meanwhile::Lost) }),
                ..CLEAN
            },
        }
    }
}

const CLEAN: Conditions = Conditions {
    delay: ms(10),
    jitter: Duration::ZERO,
    swing: swing(0, 0),
    loss: Loss::Never,
    reorder: 0.0,
    slower_by: ms(30),
    duplicate: 0.0,
    breaks: None,
};

const WIFI: Conditions = Conditions {
    delay: ms(15),
    jitter: ms(3),
    swing: swing(4, 200),
    loss: Loss::Bursts { rate: 0.005, length: 1.5 },
    ..CLEAN
};

const CELLULAR: Conditions = Conditions {
    delay: ms(35),
    jitter: ms(5),
    swing: swing(10, 400),
    loss: Loss::Bursts { rate: 0.004, length: 2.0 },
    ..CLEAN
};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

const fn swing(mean: u64, lasts: u64) -> Swing {
    Swing { mean: ms(mean), lasts: ms(lasts) }
}

const fn repeating(after: u64, lasts: u64, every: u64, meanwhile: Meanwhile) -> Break {
    Break { after: ms(after), lasts: ms(lasts), every: Some(ms(every)), meanwhile }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().copied().find(|profile| profile.name() == name);
        found.ok_or_else(|| UnknownProfile(name.to_owned()))
    }
}

impl fmt::Display for UnknownProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Profile::ALL.iter().map(|profile| profile.name()).collect();
        write!(f, "there is no network {}: there are {}", self.0, names.join(", "))
    }
}

impl std::error::Error for UnknownProfile {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_found_by_its_name() {
        for profile in Profile::ALL.iter().copied() {
            assert_eq!(profile.name().parse(), Ok(profile));
        }
        assert!("the moon".parse::<Profile>().is_err());
    }
}
