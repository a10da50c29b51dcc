//! Classifies a datagram without any key: STUN, DTLS, RTP or RTCP by its first byte (RFC 7983), STUN's class and error code
//! (RFC 8489), RTP's payload type (RFC 3550).

use media_diagnosis::DatagramKind;

/// The STUN attribute ERROR-CODE.
const ERROR_CODE: [u8; 2] = [0x00, 0x09];

/// The length of STUN's header, bytes.
const STUN_HEADER: usize = 20;

/// Returns the kind of a datagram.
pub(crate) fn kind(datagram: &[u8]) -> DatagramKind {
    match datagram {
        [0..=3, _, ..] => stun(datagram),
        [20..=63, ..] => DatagramKind::Dtls,
        [128..=191, 192..=223, ..] => DatagramKind::Rtcp,
        [128..=191, second, ..] => DatagramKind::Rtp { payload_type: second & 0x7f },
        _ => DatagramKind::Other,
    }
}

/// Whether a datagram is SRTP or SRTCP: audio, DTMF or a report.
pub(crate) fn is_media(datagram: &[u8]) -> bool {
    match kind(datagram) {
        DatagramKind::Rtp { .. } | DatagramKind::Rtcp => true,
        DatagramKind::StunRequest
        | DatagramKind::StunSuccess
        | DatagramKind::StunError(_)
        | DatagramKind::Dtls
        | DatagramKind::Other => false,
    }
}

/// Returns the kind of a STUN message; its class is in bits 8 and 4 of the type.
fn stun(datagram: &[u8]) -> DatagramKind {
    match (datagram[0] & 1, datagram[1] & 0x10) {
        (0, _) => DatagramKind::StunRequest,
        (_, 0) => DatagramKind::StunSuccess,
        (_, _) => DatagramKind::StunError(error_code(datagram).unwrap_or_default()),
    }
}

/// Returns the code of ERROR-CODE: hundreds in one byte, the rest in the next.
fn error_code(datagram: &[u8]) -> Option<u16> {
    let mut attributes = datagram.get(STUN_HEADER..)?;
    loop {
        let (head, rest) = attributes.split_first_chunk::<4>()?;
        let [kind_high, kind_low, length_high, length_low] = *head;
        if [kind_high, kind_low] == ERROR_CODE {
            let [_, _, hundreds, rest] = *rest.first_chunk::<4>()?;
            return Some(u16::from(hundreds & 7) * 100 + u16::from(rest));
        }
        let length = usize::from(u16::from_be_bytes([length_high, length_low]));
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stun_dtls_rtp_and_rtcp_are_told_apart() {
        assert_eq!(kind(&[0, 1, 0, 0]), DatagramKind::StunRequest);
        assert_eq!(kind(&[1, 1, 0, 0]), DatagramKind::StunSuccess);
        assert_eq!(kind(&[22, 254]), DatagramKind::Dtls);
        assert_eq!(kind(&[0x80, 111]), DatagramKind::Rtp { payload_type: 111 });
        assert_eq!(kind(&[0x80, 0x80 | 111]), DatagramKind::Rtp { payload_type: 111 }, "with the marker bit");
        assert_eq!(kind(&[0x80, 0]), DatagramKind::Rtp { payload_type: 0 });
        assert_eq!(kind(&[0x81, 200]), DatagramKind::Rtcp);
        assert_eq!(
            (kind(&[]), kind(&[0]), kind(&[255, 255])),
            (DatagramKind::Other, DatagramKind::Other, DatagramKind::Other)
        );
    }

    #[test]
    fn the_error_code_is_found_behind_other_attributes() {
        let mut error = vec![1, 0x11, 0, 20];
        error.resize(STUN_HEADER, 7);
        error.extend([0x80, 0x22, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0]);
        error.extend([0, 9, 0, 4, 0, 0, 4, 87]);

        assert_eq!(kind(&error), DatagramKind::StunError(487));
        assert_eq!(kind(&error[..error.len() - 1]), DatagramKind::StunError(0), "it was cut");
    }
}
