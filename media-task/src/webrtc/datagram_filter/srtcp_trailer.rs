//! Finds the encryption flag at the end of an SRTCP packet.

/// The end of an SRTCP packet, which holds its encryption flag: the first bit of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::webrtc) enum SrtcpTrailer {
    /// The index is followed by an 80-bit tag: `AES_CM` with HMAC-SHA1.
    Hmac,
    /// The index comes last: AES-GCM.
    Aead,
}

impl SrtcpTrailer {
    /// Returns the format for a protection profile as the stack names it.
    pub(in crate::webrtc) fn of(cipher: &str) -> Option<Self> {
        if cipher.starts_with("SRTP_AEAD_") {
            Some(Self::Aead)
        } else {
            cipher.starts_with("SRTP_AES").then_some(Self::Hmac)
        }
    }

    /// Whether the encryption flag is set (RFC 3711, section 3.4; RFC 7714, section 9).
    pub(super) fn is_encrypted(self, report: &[u8]) -> bool {
        let index_to_end = match self {
            Self::Hmac => 4 + 10,
            Self::Aead => 4,
        };
        let index = report.len().checked_sub(index_to_end).filter(|index| *index >= 8);
        index.is_some_and(|index| report[index] & 0x80 != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_cipher_has_no_srtcp_format() {
        assert_eq!(SrtcpTrailer::of("SRTP_AEAD_AES_128_GCM"), Some(SrtcpTrailer::Aead));
        assert_eq!(SrtcpTrailer::of("SRTP_AES128_CM_HMAC_SHA1_80"), Some(SrtcpTrailer::Hmac));
        assert_eq!((SrtcpTrailer::of(""), SrtcpTrailer::of("Unknown")), (None, None));
    }
}
