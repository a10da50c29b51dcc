//! Reports the media statistics of a call: loss, jitter, concealment, round trip, MOS.

use super::{CallSession, ms};
use audio::{NetworkPath, listening_quality};
use journal::JournalEvent;

impl CallSession {
    /// Writes the media statistics of both directions to the journal.
    pub(super) fn note_media_statistics(&mut self) {
        let (meter, report) = (self.bridge.meter(), self.media.report());
        let round_trip = report.remote.and_then(|remote| remote.round_trip);
        let path = |loss| NetworkPath { loss, burst_ratio: 1.0, round_trip: round_trip.unwrap_or_default() };
        let up = meter.path(round_trip.unwrap_or_default());
        let down = report.remote.map(|remote| path(f64::from(remote.loss_so_far)));
        let (mos_up, mos_down) = (up.as_ref().map(hundredths), down.as_ref().map(hundredths));
        let counted = JournalEvent::Media {
            received: meter.received,
            lost: meter.lost,
            recovered: meter.recovered,
            concealed: meter.concealed,
            duplicates: meter.duplicates + report.repeated,
            tardy: meter.tardy,
            foreign: meter.foreign,
            malformed: meter.malformed + report.unreadable,
            flooded: meter.flooded,
            restarts: meter.restarts,
            keys_dropped: meter.keys_dropped,
            sent: meter.sent,
            late_p99_ms: meter.late.percentile(99),
            unsent_to_agent: self.agent.model.dropped(),
            jitter_up_ms: ms(report.jitter),
            loss_down_permille: report.remote.map(|remote| (remote.loss_so_far * 1_000.0).round() as u64),
            jitter_down_ms: report.remote.map(|remote| ms(remote.jitter)),
            round_trip_ms: round_trip.map(ms),
            mos_up,
            mos_down,
        };
        (self.agent.record.summary.mos_up, self.agent.record.summary.mos_down) = (mos_up, mos_down);
        self.agent.record.note(counted);
    }
}

/// Returns a path's listening quality (MOS), in hundredths.
fn hundredths(path: &NetworkPath) -> u64 {
    (listening_quality(path) * 100.0).round() as u64
}
