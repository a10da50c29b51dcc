//! Verifies a request to the control API: lines for method, path, nonce, time and signature, and the rest for the body.

use internal_api::control_api::Offer;
use internal_api::request_signature::{RequestVerifier, SignatureError, SignedRequest};

const KEY: &[u8] = b"a key for the fuzzer";
const NOW_MS: u64 = 1_795_305_600_000;

pub(crate) fn run(data: &[u8]) {
    let mut parts = data.splitn(6, |byte| *byte == b'\n');
    let mut line = || String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let (method, path, nonce, time, signature) = (line(), line(), line(), line(), line());
    let body = parts.next().unwrap_or_default();
    let time_ms = time.parse().unwrap_or_default();
    let request = SignedRequest { time_ms, nonce: &nonce, method: &method, path: &path, body };

    let mut verifier = RequestVerifier::default();
    assert_eq!(
        verifier.verify(&request, &signature, &[KEY], NOW_MS),
        Err(SignatureError::Forged),
        "a signature cannot be guessed"
    );

    let ours = request.sign(KEY);
    let is_fresh = time_ms.abs_diff(NOW_MS) <= 30_000;
    let first = if is_fresh { Ok(()) } else { Err(SignatureError::Stale) };
    let second = if is_fresh { Err(SignatureError::Replayed) } else { Err(SignatureError::Stale) };
    assert_eq!(verifier.verify(&request, &ours, &[KEY], NOW_MS), first);
    assert_eq!(verifier.verify(&request, &ours, &[KEY], NOW_MS), second, "each signature is accepted once");

    if let Ok(offer) = serde_json::from_slice::<Offer>(body) {
        let again = serde_json::to_vec(&offer).expect("an offer is JSON");
        assert_eq!(serde_json::from_slice::<Offer>(&again).ok(), Some(offer));
    }
}
