//! What the journal says of a notice about a call.

use super::group::{Standing, Told};
use journal::Event;
use whatsapp::error::{misconfiguration, undelivered};
use whatsapp::notice::Media;
use whatsapp::{Notice, What};

/// The event of a notice.
pub(super) fn event_of(told: &Told) -> Event {
    let number = told.notice.number().unwrap_or_default().to_owned();
    match told.standing {
        Standing::NotOurs => Event::NotOurs { number },
        Standing::Stale { late_ms, ahead_ms } => Event::Stale { number, late_ms, ahead_ms },
        Standing::Ours => event(&told.notice, number),
    }
}

fn event(notice: &Notice, number: String) -> Event {
    match &notice.what {
        What::Offer(_) => Event::Connect { number },
        What::Over { errors, talked_s } => {
            Event::Over { status: notice.status.clone(), errors: errors.clone(), talked_s: *talked_s }
        }
        What::Recording(media) => at_meta("recording", media),
        What::Transcript(media) => at_meta("transcript", media),
        What::Voicemail(media) => at_meta("voicemail", media),
        What::PermissionReply { is_granted, is_permanent, until, .. } => {
            Event::PermissionReply { is_granted: *is_granted, is_permanent: *is_permanent, until_s: *until }
        }
        What::Trouble { errors } => trouble(errors),
        What::MessageFailed { errors, .. } => message_failed(errors),
        What::Created
        | What::Answer
        | What::Ringing
        | What::Accepted
        | What::Rejected
        | What::Settings { .. }
        | What::Violation { .. }
        | What::Restricted(_)
        | What::AccountChanged
        | What::UserChanged { .. }
        | What::Unknown
        | What::UnknownField { .. }
        | What::Unreadable => Event::Notice { notice: notice.event.clone(), status: notice.status.clone() },
    }
}

fn at_meta(kind: &str, media: &Media) -> Event {
    Event::MediaAtMeta { kind: kind.into(), media: media.id.clone(), mime_type: media.mime_type.clone() }
}

fn message_failed(errors: &[u64]) -> Event {
    let codes: Vec<_> = errors.iter().filter_map(|code| u32::try_from(*code).ok()).collect();
    let known = codes.iter().copied().find(|code| misconfiguration(*code).is_some());
    let code = known.or_else(|| codes.first().copied()).unwrap_or_default();
    let cure = misconfiguration(code).map_or("", |(_, cure)| cure);
    Event::MessageFailed { code, reason: undelivered(code).to_owned(), cure: cure.to_owned() }
}

/// Of several errors the one that somebody can put right says most.
fn trouble(errors: &[u64]) -> Event {
    let codes = errors.iter().filter_map(|code| u32::try_from(*code).ok());
    let known = codes.clone().find_map(|code| misconfiguration(code).map(|known| (code, known)));
    let (code, (cause, cure)) =
        known.unwrap_or((codes.clone().next().unwrap_or_default(), ("Meta does not say", "")));
    Event::MetaTrouble { action: "webhook".into(), code, reason: cause.into(), cure: cure.into() }
}
