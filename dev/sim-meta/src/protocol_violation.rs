//! Protocol violations of the agent's side; the call may go on all the same.

use std::time::Duration;

/// One wrong of the agent's side. Equal faults are reported once per call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolViolation {
    /// A webhook with a wrong signature was answered with 200.
    #[error("a webhook with a wrong signature was taken")]
    ForgeryTaken,
    /// DTLS before the relay had the answer: in reality the ClientHello is lost and costs a second or more.
    #[error("DTLS came before the answer")]
    EarlyClientHello,
    /// DTLS before ICE had a nominated pair.
    #[error("DTLS came before ICE was done")]
    DtlsBeforeIce,
    /// The ClientHello does not offer `SRTP_AES128_CM_HMAC_SHA1_80`.
    #[error("the ClientHello offers no AES_CM_128_HMAC_SHA1_80")]
    SrtpProfileMissing,
    /// The agent took the controlled role, which a lite peer answers with 487.
    #[error("the agent is ICE-CONTROLLED")]
    ControlledAgent,
    /// A check of the nominated path without USE-CANDIDATE, at a relay that takes no other.
    #[error("a check of the nominated path does not nominate it")]
    CheckWithoutNomination,
    /// Sound before the 200 of `accept`: the caller misses it.
    #[error("sound came before accept's 200 and is lost")]
    EarlyMedia,
    /// A stream other than the one the answer announced.
    #[error("stream {used} is not the announced {announced}")]
    UnannouncedSsrc {
        /// The one in the answer.
        announced: u32,
        /// The one that came.
        used: u32,
    },
    /// A second stream: WhatsApp's relay rewrites the SSRC, so it would corrupt the sound.
    #[error("a second stream, {ssrc}")]
    SecondSsrc {
        /// The stream that is not the first.
        ssrc: u32,
    },
    /// An RTP header extension that was not negotiated.
    #[error("an RTP header extension")]
    HeaderExtension,
    /// A payload type that is neither Opus (111) nor telephone-event (126).
    #[error("payload type {0}")]
    WrongPayloadType(u8),
    /// More than 60 ms between two packets.
    #[error("a gap of {} ms", .0.as_millis())]
    Gap(Duration),
    /// Many packets at once.
    #[error("{0} packets within 10 ms")]
    Burst(usize),
    /// Sequence numbers that do not follow each other.
    #[error("{0} sequence numbers are missing (below zero: came again)")]
    SequenceJump(i32),
    /// A timestamp that is not 960 per packet further.
    #[error("the timestamp is {0} off its 960 per packet")]
    TimestampJump(i32),
    /// An Opus packet that does not hold 20 ms.
    #[error("a packet of {} ms", .0.as_millis())]
    WrongDuration(Duration),
    /// A payload that is no Opus.
    #[error("a packet that does not decode")]
    Undecodable,
}
