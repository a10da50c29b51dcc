//! Records notices about a number or an account, and a hash of those that DynamoDB does not accept.

use super::{Intake, IntakeResult};
use anyhow::bail;
use internal_api::order::Order;
use sha2::{Digest, Sha256};
use store::{NoticeOwner, OtherNotice, Written, keys};
use whatsapp::error::misconfiguration;
use whatsapp::notice::NoticeSubject;
use whatsapp::{Notice, NoticeKind};

impl Intake {
    /// Records a notice about a number or an account.
    pub(super) async fn record_other(&self, notice: &Notice, now_ms: u64) -> anyhow::Result<IntakeResult> {
        let about = match &notice.about {
            NoticeSubject::Number(id) => NoticeOwner::Number(id.as_str().into()),
            NoticeSubject::Account(id) => NoticeOwner::Account(id),
            NoticeSubject::Call { .. } => bail!("this notice is about a call"),
        };
        let record = OtherNotice {
            about,
            event: &notice.event,
            status: &notice.status,
            digest: &notice.digest,
            stamped_at: notice.stamped_at,
            caller: &notice.caller,
            what: &notice.what,
            content: kept_content(notice),
        };
        match self.store.record_notice(&record, now_ms).await? {
            Written::Done => log_notice(notice),
            Written::Exists(_) => {}
            Written::Permanent(why) => {
                self.record_unfit(notice, &why, now_ms).await?;
                return Ok(IntakeResult::default());
            }
        }
        Ok(IntakeResult { orders: orders(notice), ..IntakeResult::default() })
    }

    /// Keeps the hash and the first part of a notice that DynamoDB will never accept: a redelivery would not help.
    pub(super) async fn record_unfit(&self, notice: &Notice, why: &str, now_ms: u64) -> anyhow::Result<()> {
        match self.store.record_unfit_notice(&notice.item, why, now_ms).await? {
            Written::Done => {
                let (sha256, bytes) = (hex::encode(Sha256::digest(&notice.item)), notice.item.len());
                tracing::error!(%sha256, bytes, "cannot record a notice, only its hash and first 16 KiB are kept: {why}");
            }
            Written::Exists(_) => {}
            Written::Permanent(why) => bail!("DynamoDB refuses even the hash of a notice: {why}"),
        }
        Ok(())
    }
}

/// Returns the content of a notice that we do not understand: it is kept for a release that will, until the item expires. It may name
/// people.
pub(super) fn kept_content(notice: &Notice) -> Option<&str> {
    (keeps_content(&notice.what) && !notice.item.is_empty()).then_some(&*notice.item)
}

/// Whether a notice's content is kept.
pub fn keeps_content(what: &NoticeKind) -> bool {
    matches!(what, NoticeKind::Unknown | NoticeKind::Unreadable | NoticeKind::AccountChanged)
}

/// Call-control links changed names, because it has the pseudonym key.
fn orders(notice: &Notice) -> Vec<Order> {
    match (&notice.what, &notice.about) {
        (NoticeKind::UserChanged { .. }, NoticeSubject::Number(number)) => {
            let notice = keys::notice(&notice.event, &notice.status, &notice.digest);
            vec![Order::UserChanged { number: number.as_str().into(), notice }]
        }
        _ => vec![],
    }
}

fn log_notice(notice: &Notice) {
    let (event, number) = (&notice.event, notice.number());
    match &notice.what {
        NoticeKind::Trouble { errors } => {
            let known = errors.iter().find_map(|code| misconfiguration(u32::try_from(*code).ok()?));
            let (cause, cure) = known.unwrap_or(("Meta does not say more", ""));
            tracing::error!(event, number, ?errors, cure, "Meta reports an error: {cause}");
        }
        NoticeKind::Violation { kind } => {
            tracing::warn!(event, kind, "Meta reports a rule violation of the account")
        }
        NoticeKind::Restricted(what) => tracing::warn!(event, ?what, "Meta restricts the account"),
        NoticeKind::Settings { calling, sip, .. } if calling == "disabled" || sip == "enabled" => {
            tracing::warn!(
                event,
                number,
                calling,
                sip,
                "the number's new settings stop calls from reaching us: calling is disabled, or SIP enabled"
            );
        }
        _ => {
            tracing::info!(event, number, status = notice.status, "notice about a number or account recorded")
        }
    }
}
