//! Records notices about a number or an account, and a hash of those that DynamoDB does not accept.

use super::IntakeResult;
use super::conditional_write::Written;
use crate::call_store::CallStore;
use anyhow::bail;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use internal_api::order::Order;
use serde::Serialize;
use sha2::{Digest, Sha256};
use store::items::{Item, number, text, to_item};
use store::keys;
use whatsapp::error::misconfiguration;
use whatsapp::notice::NoticeSubject;
use whatsapp::{Caller, Notice, NoticeKind};

/// How much of an unacceptable notice is kept, bytes.
const HEAD: usize = 16 * 1024;

#[derive(Serialize)]
struct OtherNotice<'a> {
    pk: String,
    sk: String,
    at_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    stamped_at: Option<u64>,
    caller: &'a Caller,
    what: &'a NoticeKind,
}

impl CallStore {
    /// Records a notice about a number or an account.
    pub(super) async fn record_other(&self, notice: &Notice, now_ms: u64) -> anyhow::Result<IntakeResult> {
        let pk = match &notice.about {
            NoticeSubject::Number(id) => keys::number(id),
            NoticeSubject::Account(id) => keys::account(id),
            NoticeSubject::Call { .. } => bail!("this notice is about a call"),
        };
        let sk = keys::notice(&notice.event, &notice.status, &notice.digest);
        let (stamped_at, caller, what) = (notice.stamped_at, &notice.caller, &notice.what);
        let orders = orders(notice, &sk);
        let mut item = to_item(&OtherNotice { pk, sk, at_ms: now_ms, stamped_at, caller, what });
        item.insert(keys::TTL.to_owned(), number(keys::forget_at(now_ms)));
        keep_content(&mut item, notice);
        match self.put_once(item).await? {
            Written::Done => log_notice(notice),
            Written::Exists(_) => {}
            Written::Unfit(why) => {
                self.record_unfit(notice, &why, now_ms).await?;
                return Ok(IntakeResult::default());
            }
        }
        Ok(IntakeResult { orders, ..IntakeResult::default() })
    }

    /// Keeps the hash and the first part of a notice that DynamoDB will never accept: a redelivery would not help.
    pub(super) async fn record_unfit(&self, notice: &Notice, why: &str, now_ms: u64) -> anyhow::Result<()> {
        let sha256 = hex::encode(Sha256::digest(&notice.item));
        let bytes = notice.item.as_bytes();
        let head = Blob::new(&bytes[..bytes.len().min(HEAD)]);
        let item = Item::from([
            ("pk".to_owned(), text(keys::unfit(&sha256))),
            ("sk".to_owned(), text(keys::UNFIT)),
            ("at_ms".to_owned(), number(now_ms)),
            ("ttl".to_owned(), number(keys::forget_at(now_ms))),
            ("why".to_owned(), text(why)),
            ("bytes".to_owned(), number(bytes.len() as u64)),
            ("head".to_owned(), AttributeValue::B(head)),
        ]);
        match self.put_once(item).await? {
            Written::Done => {
                tracing::error!(%sha256, bytes = bytes.len(), "cannot record a notice, only its hash and first 16 KiB are kept: {why}");
            }
            Written::Exists(_) => {}
            Written::Unfit(why) => bail!("DynamoDB refuses even the hash of a notice: {why}"),
        }
        Ok(())
    }
}

/// Keeps the content of a notice that we do not understand, for a release that will, until the item expires. It may name people.
pub(super) fn keep_content(item: &mut Item, notice: &Notice) {
    if keeps_content(&notice.what) && !notice.item.is_empty() {
        item.insert("item".to_owned(), text(&notice.item));
    }
}

/// Whether a notice's content is kept.
pub fn keeps_content(what: &NoticeKind) -> bool {
    matches!(what, NoticeKind::Unknown | NoticeKind::Unreadable | NoticeKind::AccountChanged)
}

/// Call-control links changed names, because it has the pseudonym key.
fn orders(notice: &Notice, sk: &str) -> Vec<Order> {
    match (&notice.what, &notice.about) {
        (NoticeKind::UserChanged { .. }, NoticeSubject::Number(number)) => {
            vec![Order::UserChanged { number: number.clone(), notice: sk.to_owned() }]
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
