//! What can be made to go wrong, one thing at a time.

use std::fmt;
use std::str::FromStr;

macro_rules! mischief {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal;)*) => {
        /// One thing that goes wrong. Its name is in kebab case, as in `--mischief cut-accept`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Mischief {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Mischief {
            /// All there are.
            pub const ALL: &[Mischief] = &[$(Mischief::$variant),*];

            /// Its name in kebab case.
            pub fn name(self) -> &'static str {
                match self {
                    $(Mischief::$variant => $name,)*
                }
            }
        }
    };
}

mischief! {
    /// Graph refuses every `pre_accept` and `accept` with 138008.
    SdpRefused = "sdp-refused";
    /// The relay answers no STUN request.
    IceNever = "ice-never";
    /// The relay connects ICE and never answers a ClientHello.
    DtlsNever = "dtls-never";
    /// The first call action gets a 500 (138004) and has no effect.
    Graph500Once = "graph-500-once";
    /// Every reply of Graph takes [`crate::Timers::slow_graph`].
    GraphSlow = "graph-slow";
    /// The `connect` webhook comes a second time after it was answered.
    DuplicateConnect = "duplicate-connect";
    /// The connection is cut once, after an `accept` took effect and before its reply.
    CutAccept = "cut-accept";
    /// The caller hangs up between `pre_accept` and `accept`.
    CallerGivesUp = "caller-gives-up";
    /// The caller's number is hidden: no `from`, no `wa_id`, only the business-scoped user id.
    NoFrom = "no-from";
    /// The caller's phone sends no RTP at all.
    SilentCaller = "silent-caller";
}

/// A name that is no mischief.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no mischief; there are {list}", list = Mischief::ALL.iter().map(|m| m.name()).collect::<Vec<_>>().join(", "))]
pub struct UnknownMischief(String);

impl FromStr for Mischief {
    type Err = UnknownMischief;

    fn from_str(name: &str) -> Result<Mischief, UnknownMischief> {
        Mischief::ALL
            .iter()
            .copied()
            .find(|mischief| mischief.name() == name)
            .ok_or_else(|| UnknownMischief(name.to_owned()))
    }
}

impl fmt::Display for Mischief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_means_itself() {
        for mischief in Mischief::ALL {
            assert_eq!(mischief.to_string().parse(), Ok(*mischief));
        }
    }

    #[test]
    fn an_unknown_name_is_told_the_known_ones() {
        let refusal = "gremlins".parse::<Mischief>().unwrap_err().to_string();

        assert!(refusal.contains("`gremlins`") && refusal.contains("cut-accept"), "{refusal}");
    }

    #[test]
    fn the_readme_lists_every_mischief() {
        let readme = include_str!("../README.md");
        for mischief in Mischief::ALL {
            assert!(readme.contains(&format!("`{mischief}`")), "{mischief} is not in README.md");
        }
    }
}
