//! The GET with which Meta asks whether a webhook address is ours.

use subtle::ConstantTimeEq;

/// Answers Meta's challenge: what to send back as the whole body, or `None` when it is not Meta asking.
///
/// `query` gives the value of a query parameter. Meta sends `hub.mode`, `hub.verify_token` and `hub.challenge`.
pub fn answer<'a>(query: impl Fn(&str) -> Option<&'a str>, verify_token: &str) -> Option<&'a str> {
    let token = query("hub.verify_token")?;
    let is_ours = !verify_token.is_empty() && bool::from(token.as_bytes().ct_eq(verify_token.as_bytes()));
    (query("hub.mode") == Some("subscribe") && is_ours).then(|| query("hub.challenge"))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echoes_the_challenge_to_whoever_knows_the_token() {
        assert_eq!(answer(asked("subscribe", "token"), "token"), Some("1158201444"));
    }

    #[test]
    fn is_silent_to_anybody_else() {
        assert_eq!(answer(asked("subscribe", "guess"), "token"), None);
        assert_eq!(answer(asked("unsubscribe", "token"), "token"), None);
        assert_eq!(answer(|_| None, "token"), None);
        assert_eq!(answer(asked("subscribe", ""), ""), None, "no token is nobody's token");
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
