//! Meta's webhook challenge: the GET that verifies ownership of a webhook address.

use subtle::ConstantTimeEq;

/// Returns the body of the reply to Meta's challenge, or `None` when the verify token is wrong.
///
/// `query` returns the value of a query parameter. Meta sends `hub.mode`, `hub.verify_token` and `hub.challenge`.
pub fn answer<'a>(query: impl Fn(&str) -> Option<&'a str>, verify_token: &str) -> Option<&'a str> {
    let token = query("hub.verify_token")?;
    let is_ours = !verify_token.is_empty() && bool::from(token.as_bytes().ct_eq(verify_token.as_bytes()));
    (query("hub.mode") == Some("subscribe") && is_ours).then(|| query("hub.challenge"))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echoes_the_challenge_for_the_right_token() {
        assert_eq!(answer(asked("subscribe", "token"), "token"), Some("1158201444"));
    }

    #[test]
    fn refuses_any_other_request() {
        assert_eq!(answer(asked("subscribe", "guess"), "token"), None);
        assert_eq!(answer(asked("unsubscribe", "token"), "token"), None);
        assert_eq!(answer(|_| None, "token"), None);
        assert_eq!(answer(asked("subscribe", ""), ""), None, "an empty verify token matches no request");
    }

    fn asked(mode: &'static str, token: &'static str) -> impl Fn(&str) -> Option<&'static str> {
        move |name| match name {
            "hub.mode" => Some(mode),
            "hub.verify_token" => Some(token),
            "hub.challenge" => Some("1158201444"),
            _ => None,
        }
    }
}
