//! Faults in a business's set-up at Meta, by name.

use crate::business_records::{BusinessRecords, Subscriber};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use strum::{IntoStaticStr, VariantArray};

const ELSEWHERE: &str = "https://elsewhere.example/webhook";

/// One thing amiss with the business's set-up. Its name is in kebab case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum SetupFault {
    /// Meta no longer knows the token.
    TokenRevoked,
    /// The token is a person's, which will not live.
    TokenOfPerson,
    /// The token expires in three days.
    TokenExpires,
    /// The token may not take calls.
    TokenWithoutMessaging,
    /// The token may not look at the account.
    TokenWithoutManagement,
    /// The token is for another account.
    TokenElsewhere,
    /// The app has no subscription.
    AppUnsubscribed,
    /// The app's subscription lacks `calls`.
    AppWithoutCalls,
    /// The app's subscription lacks `messages`.
    AppWithoutMessages,
    /// The app's subscription is not active.
    AppInactive,
    /// The app's webhooks go elsewhere.
    AppElsewhere,
    /// The app is not subscribed to the account.
    AccountUnsubscribed,
    /// Another app also receives the webhooks of the account.
    AccountShared,
    /// Webhooks of the account go elsewhere.
    AccountElsewhere,
    /// Meta has not approved the account.
    AccountInReview,
    /// The account has nothing to pay with.
    AccountWithoutPayment,
    /// Webhooks of the number go elsewhere.
    NumberElsewhere,
    /// The number is not connected.
    NumberDisconnected,
    /// The number lives in the WhatsApp Business app.
    NumberOffCloud,
    /// The number may write to 250 users.
    LimitLow,
    /// The number has no messaging limit yet.
    LimitNotSet,
    /// Calling is not enabled.
    CallingOff,
    /// Users see no call button.
    IconHidden,
    /// Calls go by SIP.
    SipOn,
    /// Keys come by SDES.
    KeysBySdes,
    /// There are call hours, and no day has any.
    HoursNever,
    /// Meta holds calls back for low quality.
    Restricted,
    /// Graph is rate-limited.
    GraphBusy,
}

impl SetupFault {
    /// All there are.
    pub const ALL: &[SetupFault] = SetupFault::VARIANTS;

    /// Its name in kebab case.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Changes the records so that it is the case.
    pub(crate) fn apply(self, records: &mut BusinessRecords) {
        match self {
            SetupFault::TokenRevoked => records.token.is_valid = false,
            SetupFault::TokenOfPerson => records.token.kind = "USER".to_owned(),
            SetupFault::TokenExpires => records.token.expires_at = now() + 3 * 86_400,
            SetupFault::TokenWithoutMessaging => {
                records.token.scopes.retain(|it| it != "whatsapp_business_messaging")
            }
            SetupFault::TokenWithoutManagement => {
                records.token.scopes.retain(|it| it != "whatsapp_business_management")
            }
            SetupFault::TokenElsewhere => records.token.accounts = vec!["120000000000001".to_owned()],
            SetupFault::AppUnsubscribed => records.app.subscription = None,
            SetupFault::AppWithoutCalls => forgo(records, "calls"),
            SetupFault::AppWithoutMessages => forgo(records, "messages"),
            SetupFault::AppInactive => {
                records.app.subscription.iter_mut().for_each(|it| it.is_active = false)
            }
            SetupFault::AppElsewhere => {
                records.app.subscription.iter_mut().for_each(|it| it.callback_url = ELSEWHERE.to_owned());
            }
            SetupFault::AccountUnsubscribed => records.account.subscribers.clear(),
            SetupFault::AccountShared => records.account.subscribers.push(Subscriber {
                id: "880000000000008".to_owned(),
                name: "Helpdesk".to_owned(),
                override_url: None,
            }),
            SetupFault::AccountElsewhere => {
                let subscribers = &mut records.account.subscribers;
                subscribers.iter_mut().for_each(|it| it.override_url = Some(ELSEWHERE.to_owned()));
            }
            SetupFault::AccountInReview => records.account.review = "PENDING".to_owned(),
            SetupFault::AccountWithoutPayment => records.account.funding = None,
            SetupFault::NumberElsewhere => records.number.override_url = Some(ELSEWHERE.to_owned()),
            SetupFault::NumberDisconnected => records.number.status = "DISCONNECTED".to_owned(),
            SetupFault::NumberOffCloud => records.number.platform = "NOT_APPLICABLE".to_owned(),
            SetupFault::LimitLow => records.number.messaging_limit = "TIER_250".to_owned(),
            SetupFault::LimitNotSet => records.number.messaging_limit = "TIER_NOT_SET".to_owned(),
            SetupFault::CallingOff => set(records, "status", json!("DISABLED")),
            SetupFault::IconHidden => set(records, "call_icon_visibility", json!("DISABLE_ALL")),
            SetupFault::SipOn => {
                let server = json!({ "hostname": "sip.example.org", "port": 5061, "app_id": records.app.id });
                set(records, "sip", json!({ "status": "ENABLED", "servers": [server] }));
            }
            SetupFault::KeysBySdes => set(records, "srtp_key_exchange_protocol", json!("SDES")),
            SetupFault::HoursNever => {
                let (zone, week) = ("Asia/Kolkata", json!([]));
                let hours =
                    json!({ "status": "ENABLED", "timezone_id": zone, "weekly_operating_hours": week });
                set(records, "call_hours", hours);
            }
            SetupFault::Restricted => {
                let restriction = json!({ "type": "RESTRICTED_USER_INITIATED_CALLING",
                    "reason": "LOW_PICKUP_RATE", "expiration": now() + 7 * 86_400 });
                set(records, "restrictions", json!({ "restrictions_list": [restriction] }));
            }
            SetupFault::GraphBusy => records.is_busy = true,
        }
    }
}

fn forgo(records: &mut BusinessRecords, field: &str) {
    records.app.subscription.iter_mut().for_each(|it| it.fields.retain(|name| name != field));
}

fn set(records: &mut BusinessRecords, key: &str, value: Value) {
    records.calling[key] = value;
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setup_fault_changes_the_records_of_a_business() {
        let mut sound = BusinessRecords::default();
        sound.subscribe("https://here.example/webhook");
        for fault in SetupFault::ALL {
            let mut records = sound.clone();
            fault.apply(&mut records);
            assert_ne!(records, sound, "{}", fault.name());
        }
    }

    #[test]
    fn the_readme_lists_every_setup_fault() {
        let readme = include_str!("../README.md");
        for fault in SetupFault::ALL {
            let row = format!("| `{}` |", fault.name());
            assert!(readme.contains(&row), "{row} is not in README.md");
        }
    }
}
