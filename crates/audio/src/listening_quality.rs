//! Estimates listening quality (MOS) from packet loss and delay by the E-model of ITU-T G.107.1 for wideband speech.
//!
//! `R = 129 - Idd - Ie,eff`, scaled to the range of G.107 (÷ 1.29, G.107.1 Annex A) for the mean opinion score (G.107
//! Annex B). Echo, loudness and noise, which a media task cannot measure, have their default values.

use std::time::Duration;

/// The transmission rating of an unimpaired wideband line (G.107.1, default values).
const UNIMPAIRED: f64 = 129.0;

/// `Ie,WB` of the codec without loss. G.113 does not list Opus; AMR-WB at 18.25 kbit/s, a codec of the same kind and
/// rate, stands in.
const CODEC: f64 = 5.0;

/// `Bpl` of the codec, its robustness against loss: that of AMR-WB with concealment in G.113.
const CONCEALMENT: f64 = 4.3;

/// The one-way delay that codec and far jitter buffer add to the network's: a frame of 20 ms, 6.5 ms of look-ahead,
/// 40 ms of buffer.
const ADDED: Duration = Duration::from_millis(66);

/// Loss and delay of the network path of a call's packets.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct NetworkPath {
    /// The share of packets lost and not recovered by FEC, 0 to 1.
    pub loss: f64,
    /// The mean length of loss bursts relative to random loss: 1 is random, 2 twice as long.
    pub burst_ratio: f64,
    /// The network's round-trip time.
    pub round_trip: Duration,
}

/// Returns the mean opinion score, 1 (bad) to 4.5.
pub fn listening_quality(path: &NetworkPath) -> f64 {
    opinion(rating(path) / 1.29)
}

/// Returns the transmission rating `R`, on the wideband scale of 129.
fn rating(path: &NetworkPath) -> f64 {
    UNIMPAIRED - delay_impairment(path.round_trip / 2 + ADDED) - equipment_impairment(path)
}

/// Returns `Idd` of G.107, which is zero up to 100 ms.
fn delay_impairment(one_way: Duration) -> f64 {
    let x = (one_way.as_secs_f64() / 0.1).log2();
    if x <= 0.0 {
        return 0.0;
    }
    let root = |y: f64| (1.0 + y.powi(6)).powf(1.0 / 6.0);
    25.0 * (root(x) - 3.0 * root(x / 3.0) + 2.0)
}

/// Returns `Ie,eff`, the impairment by codec and loss.
fn equipment_impairment(path: &NetworkPath) -> f64 {
    let per_cent = path.loss.clamp(0.0, 1.0) * 100.0;
    let burst_ratio = path.burst_ratio.max(1.0);
    CODEC + (95.0 - CODEC) * per_cent / (per_cent / burst_ratio + CONCEALMENT)
}

/// Converts a rating on the scale of 100 to a mean opinion score (G.107, Annex B).
fn opinion(r: f64) -> f64 {
    if r <= 0.0 {
        return 1.0;
    }
    let r = r.min(100.0);
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opinion_scores_match_the_published_table() {
        // ITU-T G.107, table B.1.
        for (r, mos) in [(90.0, 4.34), (80.0, 4.03), (70.0, 3.60), (60.0, 3.10), (50.0, 2.58)] {
            assert!((opinion(r) - mos).abs() < 0.01, "{r}: {} instead of {mos}", opinion(r));
        }
        assert_eq!((opinion(-3.0), opinion(130.0)), (1.0, 4.5));
    }

    #[test]
    fn delay_impairs_from_100_ms_on() {
        let hurts = |n| delay_impairment(Duration::from_millis(n));

        assert_eq!((hurts(0), hurts(100)), (0.0, 0.0));
        assert!((hurts(200) - 3.04).abs() < 0.01, "{}", hurts(200));
        assert!(hurts(400) > 20.0 && hurts(400) < 25.0, "{}", hurts(400));
    }

    #[test]
    fn burst_loss_scores_worse_than_random_loss() {
        let heard = |loss, burst_ratio| {
            listening_quality(&NetworkPath { loss, burst_ratio, round_trip: Duration::from_millis(60) })
        };

        assert!(heard(0.0, 1.0) > 4.4, "{}", heard(0.0, 1.0));
        assert!(heard(0.05, 1.0) < heard(0.01, 1.0));
        assert!(heard(0.05, 2.0) < heard(0.05, 1.0));
        assert!(heard(1.0, 4.0) < 1.1);
    }
}
