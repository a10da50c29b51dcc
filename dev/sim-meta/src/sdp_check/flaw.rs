//! Why Meta refuses an SDP answer.

/// The size from which an answer is too large.
pub(super) const LARGEST: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SdpFlaw {
    #[error("the SDP has {0} bytes, {LARGEST} or more")]
    TooLarge(usize),
    #[error("every line must end with CRLF, the last one too")]
    LineEnds,
    #[error("the first line must be v=0")]
    NoVersion,
    #[error("the m-lines must be those of the offer, there are {0}")]
    MediaLines(usize),
    #[error("the m-line must be `m=audio <port> ...` with the profile of the offer, it is `{0}`")]
    MediaLine(String),
    #[error("a section that is not audio must be refused, kind and profile kept and port 0; it is `{0}`")]
    NotRefused(String),
    #[error("`{0}` was not offered")]
    NotOffered(&'static str),
    #[error("payload type {0} was not offered")]
    PayloadTypeNotOffered(String),
    #[error("payload type {0} must be opus/48000/2")]
    NoOpus(String),
    #[error("`{0}` must be there once, it is there {1} times")]
    Count(&'static str, usize),
    #[error("`{0}` must be `{1}`")]
    Value(&'static str, String),
    #[error("the fingerprint must be one of sha-256")]
    FingerprintHash,
    #[error("the fingerprint must have 32 bytes in hexadecimal")]
    FingerprintBytes,
    #[error("`{0}` is copied from the offer")]
    Copied(&'static str),
    #[error("`{0}` is too short")]
    TooShort(&'static str),
    #[error("only Meta may be ice-lite")]
    IceLite,
    #[error("the header extension `{0}` was not offered")]
    ExtensionNotOffered(String),
    #[error("the direction must be sendrecv")]
    Direction,
}
