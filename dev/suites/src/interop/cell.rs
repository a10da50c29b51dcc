//! The matrix: which caller, with which form of offer, over which address family.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use strum::Display;

/// One call of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// The caller's WebRTC stack.
    pub maker: Maker,
    /// The form of its offer.
    pub form: Form,
    /// The address family of its media.
    pub family: Family,
}

/// A caller's WebRTC stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display)]
pub enum Maker {
    /// Python's WebRTC, full ICE.
    #[strum(serialize = "aiortc")]
    Aiortc,
    /// The browser, without a window, full ICE.
    Chromium,
    /// Rust's, as Meta is: ICE-lite.
    #[strum(serialize = "str0m lite")]
    Str0mLite,
    /// The same with full ICE.
    #[strum(serialize = "str0m full")]
    Str0mFull,
}

/// The form of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display)]
pub enum Form {
    /// As its maker writes it.
    #[strum(serialize = "own")]
    Own,
    /// As Meta writes offers since 2025.
    WhatsApp,
    /// As Meta's documentation prints them.
    #[strum(serialize = "WhatsApp old")]
    WhatsAppOld,
}

/// An address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display)]
pub enum Family {
    /// 127.0.0.1.
    #[strum(serialize = "IPv4")]
    V4,
    /// `::1`.
    #[strum(serialize = "IPv6")]
    V6,
}

impl Cell {
    /// Every caller with every form it has, over both families.
    pub fn all() -> Vec<Self> {
        let foreign = [Form::Own, Form::WhatsApp];
        let metas = [Form::WhatsApp, Form::WhatsAppOld];
        let makers = [
            (Maker::Aiortc, foreign),
            (Maker::Chromium, foreign),
            (Maker::Str0mLite, metas),
            (Maker::Str0mFull, metas),
        ];
        let families = [Family::V4, Family::V6];
        let cells = families.into_iter().flat_map(|family| {
            let of_maker =
                move |(maker, forms): (Maker, [Form; 2])| forms.map(|form| Self { maker, form, family });
            makers.into_iter().flat_map(of_maker)
        });
        cells.collect()
    }

    pub(super) fn file_name(self) -> String {
        self.to_string().replace(", ", "_").replace(' ', "-")
    }
}

impl Maker {
    /// Whether it has a keypad. aiortc has no way to send telephone events.
    pub(super) fn has_keys(self) -> bool {
        match self {
            Self::Aiortc => false,
            Self::Chromium | Self::Str0mLite | Self::Str0mFull => true,
        }
    }

    /// `full`, or `lite`.
    pub(super) fn ice(self) -> &'static str {
        match self {
            Self::Aiortc | Self::Chromium | Self::Str0mFull => "full",
            Self::Str0mLite => "lite",
        }
    }
}

impl Family {
    /// This machine's address.
    pub fn ip(self) -> IpAddr {
        match self {
            Self::V4 => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Self::V6 => IpAddr::V6(Ipv6Addr::LOCALHOST),
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}, {}", self.maker, self.form, self.family)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_has_sixteen_calls_and_none_twice() {
        let mut names: Vec<String> = Cell::all().into_iter().map(Cell::file_name).collect();
        names.sort();
        names.dedup();

        assert_eq!(names.len(), 16, "{names:?}");
    }
}
