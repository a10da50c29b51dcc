//! Where an agent may transfer calls to, and how often.

use std::fmt;
use std::str::FromStr;

/// The transfer of calls by telephone: the agent decides when, and its file where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Where calls are transferred to.
    pub target: TransferTarget,
    /// When the agent is to transfer a call, for the model.
    pub when: String,
    /// Transfers of one number's calls per [`crate::Agent::day`]; 50 by default.
    pub a_day: u32,
}

/// A telephone number as `tel:+…`, or a user of a SIP host as `sip:user@host`.
#[derive(Clone, PartialEq, Eq)]
pub struct TransferTarget(String);

impl TransferTarget {
    /// Returns the address, which is personal data: for the line's service alone.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the kind of address, `tel` or `sip`.
    pub fn kind(&self) -> &'static str {
        if self.0.starts_with("tel:") { "tel" } else { "sip" }
    }
}

impl FromStr for TransferTarget {
    type Err = ();

    fn from_str(address: &str) -> Result<Self, ()> {
        let is_target = match address.split_once(':') {
            Some(("tel", number)) => is_e164(number),
            Some(("sip", user_at_host)) => user_at_host.split_once('@').is_some_and(is_user_at_host),
            Some(_) | None => false,
        };
        if is_target { Ok(Self(address.to_owned())) } else { Err(()) }
    }
}

impl fmt::Debug for TransferTarget {
    /// Shows only the kind.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:…", self.kind())
    }
}

/// Whether a number is an international one: `+`, then 7 to 15 digits, not beginning with 0.
fn is_e164(number: &str) -> bool {
    let Some(digits) = number.strip_prefix('+') else { return false };
    (7..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0')
}

/// Whether it is a user, and a host name or IPv4 address with or without a port. Parameters and passwords have no place in an agent file.
fn is_user_at_host((user, host_and_port): (&str, &str)) -> bool {
    let is_user = |byte: u8| byte.is_ascii_alphanumeric() || b"+-_.".contains(&byte);
    let (host, port) = match host_and_port.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (host_and_port, None),
    };
    (1..=64).contains(&user.len())
        && user.bytes().all(is_user)
        && is_host(host)
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn international_numbers_and_sip_users_are_targets() {
        for (address, kind) in [
            ("tel:+35621000000", "tel"),
            ("tel:+2507880", "tel"),
            ("sip:agent@pbx.example.com", "sip"),
            ("sip:+35621000000@192.0.2.7:5061", "sip"),
        ] {
            let target: TransferTarget = address.parse().expect(address);
            assert_eq!((target.as_str(), target.kind()), (address, kind));
        }
    }

    #[test]
    fn anything_else_is_no_target() {
        for address in [
            "",
            "+35621000000",
            "tel:",
            "tel:21000000",
            "tel:+0356210000",
            "tel:+356 2100 0000",
            "tel:+35621000000;ext=1",
            "tel:+1234567890123456",
            "sip:pbx.example.com",
            "sip:@pbx.example.com",
            "sip:agent@",
            "sip:agent@-pbx",
            "sip:agent@pbx..com",
            "sip:agent@pbx:0",
            "sip:agent@pbx:99999",
            "sip:agent:word@pbx",
            "sip:agent@pbx;transport=udp",
            "sip:agent@pbx?Header=x",
            "sip:a b@pbx",
            "sips:agent@pbx.example.com",
            "https://pbx.example.com",
        ] {
            assert!(address.parse::<TransferTarget>().is_err(), "{address}");
        }
    }

    #[test]
    fn debug_output_shows_no_number() {
        let target: TransferTarget = "tel:+35621000000".parse().expect("it is one");

        assert_eq!(format!("{target:?}"), "tel:…");
    }
}
