//! Opus encoders, set up as phones set them up.

use opus::{Application, Bandwidth, Bitrate, Channels, Encoder, Error, Signal};

/// What Meta's offer allows: `maxaveragebitrate=20000`, `maxplaybackrate=16000`.
const BITRATE: i32 = 20_000;
/// For a phone that spares effort: narrowband needs no more.
const SPARING_BITRATE: i32 = 12_000;
/// For a phone that protects what it says.
const PROTECTING_BITRATE: i32 = 24_000;
/// The loss the encoder prepares for; with more, libopus gives up wideband at this rate.
const EXPECTED_LOSS: i32 = 5;

/// As most phones do.
pub(super) fn ordinary() -> Result<Encoder, Error> {
    let mut encoder = Encoder::new(sim_audio::RATE, Channels::Mono, Application::Voip)?;
    encoder.set_bitrate(Bitrate::Bits(BITRATE))?;
    encoder.set_max_bandwidth(Bandwidth::Wideband)?;
    encoder.set_signal(Signal::Voice)?;
    encoder.set_inband_fec(true)?;
    encoder.set_packet_loss_perc(EXPECTED_LOSS)?;
    encoder.set_complexity(0)?;
    Ok(encoder)
}

/// At less cost, and sounding like a telephone.
pub(super) fn sparing() -> Result<Encoder, Error> {
    let mut encoder = ordinary()?;
    encoder.set_max_bandwidth(Bandwidth::Narrowband)?;
    encoder.set_bitrate(Bitrate::Bits(SPARING_BITRATE))?;
    encoder.set_inband_fec(false)?;
    Ok(encoder)
}

/// With what recovers the packet before in each one. libopus gives wideband and that at 24 kbit/s and complexity 5, not
/// below, and only when the expected loss is set to about 10 %; at 30 %, what is recovered sounds nearly like what was lost.
/// Speech then comes to some 20 kbit/s, and a call with its pauses stays below the 20 kbit/s of `maxaveragebitrate`.
pub(super) fn protecting() -> Result<Encoder, Error> {
    let mut encoder = ordinary()?;
    encoder.set_bitrate(Bitrate::Bits(PROTECTING_BITRATE))?;
    encoder.set_complexity(5)?;
    encoder.set_packet_loss_perc(30)?;
    Ok(encoder)
}
