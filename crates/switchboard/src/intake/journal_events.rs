//! Maps a notice about a call to its journal event.

use super::grouping::{ReportedCall, Standing};
use call::NumberId;
use journal::JournalEvent;
use whatsapp::error::{misconfiguration, undelivered};
use whatsapp::notice::Media;
use whatsapp::{Notice, NoticeKind};

/// Returns the journal event of a notice.
pub(super) fn event_of(report: &ReportedCall) -> JournalEvent {
    let number = report.notice.number().unwrap_or_default().into();
    match report.standing {
        Standing::NotOurs => JournalEvent::NotOurs { number },
        Standing::Stale { late_ms, ahead_ms } => JournalEvent::Stale { number, late_ms, ahead_ms },
        Standing::Ours => event(&report.notice, number),
    }
}

fn event(notice: &Notice, number: NumberId) -> JournalEvent {
    match &notice.what {
        NoticeKind::Offer(_) => JournalEvent::Connect { number },
        NoticeKind::Over { errors, talked_s } => {
            JournalEvent::Over { status: notice.status.clone(), errors: errors.clone(), talked_s: *talked_s }
        }
        NoticeKind::Recording(media) => at_meta("recording", media),
        NoticeKind::Transcript(media) => at_meta("transcript", media),
        NoticeKind::Voicemail(media) => at_meta("voicemail", media),
        NoticeKind::PermissionReply { is_granted, is_permanent, until, .. } => {
            JournalEvent::PermissionReply {
                is_granted: *is_granted,
                is_permanent: *is_permanent,
                until_s: *until,
            }
        }
        NoticeKind::Trouble { errors } => meta_trouble(errors),
        NoticeKind::MessageFailed { errors, .. } => message_failed(errors),
        NoticeKind::Created
        | NoticeKind::Answer
        | NoticeKind::Ringing
        | NoticeKind::Accepted
        | NoticeKind::Rejected
        | NoticeKind::Settings { .. }
        | NoticeKind::Violation { .. }
        | NoticeKind::Restricted(_)
        | NoticeKind::AccountChanged
        | NoticeKind::UserChanged { .. }
        | NoticeKind::Unknown
        | NoticeKind::UnknownField { .. }
        | NoticeKind::Unreadable => {
            JournalEvent::Notice { notice: notice.event.clone(), status: notice.status.clone() }
        }
    }
}

fn at_meta(kind: &str, media: &Media) -> JournalEvent {
    JournalEvent::MediaAtMeta {
        kind: kind.into(),
        media: media.id.clone(),
        mime_type: media.mime_type.clone(),
    }
}

fn message_failed(errors: &[u64]) -> JournalEvent {
    let codes: Vec<_> = errors.iter().filter_map(|code| u32::try_from(*code).ok()).collect();
    let known = codes.iter().copied().find(|code| misconfiguration(*code).is_some());
    let code = known.or_else(|| codes.first().copied()).unwrap_or_default();
    let cure = misconfiguration(code).map_or("", |(_, cure)| cure);
    JournalEvent::MessageFailed { code, reason: undelivered(code).to_owned(), cure: cure.to_owned() }
}

/// Reports the first error that the operator can fix, else the first one.
fn meta_trouble(errors: &[u64]) -> JournalEvent {
    let codes = errors.iter().filter_map(|code| u32::try_from(*code).ok());
    let known = codes.clone().find_map(|code| misconfiguration(code).map(|known| (code, known)));
    let (code, (cause, cure)) =
        known.unwrap_or((codes.clone().next().unwrap_or_default(), ("Meta does not say", "")));
    JournalEvent::MetaTrouble { action: "webhook".into(), code, reason: cause.into(), cure: cure.into() }
}
