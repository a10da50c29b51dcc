//! Knocks at a door: lines for method, path, nonce, time and seal, and the rest for the body.

use internal_api::control_api::Offer;
use internal_api::request_signature::{RequestVerifier, SignatureError, SignedRequest};

const KEY: &[u8] = b"a key that no one outside has";
const NOW_MS: u64 = 1_795_305_600_000;

/// Runs one input.
pub fn run(data: &[u8]) {
    let mut parts = data.splitn(6, |byte| *byte == b'\n');
    let mut line = || String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let (method, path, nonce, time, seal) = (line(), line(), line(), line(), line());
    let body = parts.next().unwrap_or_default();
    let time_ms = time.parse().unwrap_or_default();
    let request = SignedRequest { time_ms, nonce: &nonce, method: &method, path: &path, body };

    let mut door = RequestVerifier::default();
    assert_eq!(
        door.admit(&request, &seal, &[KEY], NOW_MS),
        Err(SignatureError::Forged),
        "a request signature cannot be guessed"
    );

    let ours = request.seal(KEY);
    let is_fresh = time_ms.abs_diff(NOW_MS) <= 30_000;
    let first = if is_fresh { Ok(()) } else { Err(SignatureError::Stale) };
    let second = if is_fresh { Err(SignatureError::Replayed) } else { Err(SignatureError::Stale) };
    assert_eq!(door.admit(&request, &ours, &[KEY], NOW_MS), first);
    assert_eq!(door.admit(&request, &ours, &[KEY], NOW_MS), second, "each seal is let in once");

    if let Ok(offer) = serde_json::from_slice::<Offer>(body) {
        let again = serde_json::to_vec(&offer).expect("an offer is JSON");
        assert_eq!(serde_json::from_slice::<Offer>(&again).ok(), Some(offer));
    }
}
