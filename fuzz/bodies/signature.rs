//! Takes any text for a signature: a line for the header, and the rest for the body it claims to sign.

use whatsapp::signature::is_valid;

/// Signs what the corpus has signed. It cannot be guessed, so what is accepted was in the corpus.
const SECRET: &str = "the secret of the corpus";

pub(crate) fn run(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (header, body) = (String::from_utf8_lossy(&data[..end]), data.get(end + 1..).unwrap_or_default());
    assert!(!is_valid(&header, body, []), "nothing is signed under no secret");
    assert!(!is_valid(&header, body, [""]), "nothing is signed under an empty one");
    if is_valid(&header, body, ["another", SECRET]) {
        let other = [body, b" "].concat();
        assert!(!is_valid(&header, &other, [SECRET]), "a signature is for one body");
        assert!(!is_valid(&header, body, ["another"]), "and under one secret");
    }
}
