//! Makes call ids of the layout Meta's have: base64 of a Thrift-compact record that holds both phone numbers.
//!
//! Decoded from published ids; the bytes after the business number are a guess.

use base64::{Engine, prelude::BASE64_STANDARD};
use fastrand::Rng;

const USER_INITIATED: u8 = 0x12;

/// A fresh id for a call from `user` to `business`, both digits only.
pub(crate) fn fresh(user: &str, business: &str, rng: &mut Rng) -> String {
    encode(user, business, &hex::encode_upper(rng.u128(..).to_ne_bytes()))
}

/// A fresh id for a message to `user`, digits only. The number lies in it; the rest of the layout is a guess.
pub(crate) fn of_message(user: &str, rng: &mut Rng) -> String {
    let mut record = Vec::new();
    put_number(&mut record, user);
    record.extend([0x11, 0x18, 0x12]);
    record.extend(hex::encode_upper(std::array::from_fn::<u8, 9, _>(|_| rng.u8(..))).bytes());
    record.push(0);
    format!("wamid.{}", BASE64_STANDARD.encode(record))
}

fn encode(user: &str, business: &str, hex: &str) -> String {
    let mut record = Vec::new();
    put_number(&mut record, user);
    record.extend([USER_INITIATED, 0x18, 0x20]);
    record.extend(hex.bytes());
    put_number(&mut record, business);
    format!("wacid.{}", BASE64_STANDARD.encode(record))
}

fn put_number(record: &mut Vec<u8>, number: &str) {
    record.extend([0x1c, 0x18, number.len() as u8]);
    record.extend(number.bytes());
    record.extend([0x15, 0x02, 0x00]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_the_layout_of_the_published_ones() {
        let id = encode("919900000001", "15550001111", "3F9A1C7E5B2D4860A1B2C3D4E5F60718");

        assert_eq!(
            id,
            "wacid.HBgMOTE5OTAwMDAwMDAxFQIAEhggM0Y5QTFDN0U1QjJENDg2MEExQjJDM0Q0RTVGNjA3MTgcGAsxNTU1MDAwMTExMRUCAA=="
        );
    }

    #[test]
    fn two_calls_of_one_caller_differ() {
        let mut rng = Rng::with_seed(1);

        assert_ne!(fresh("1", "2", &mut rng), fresh("1", "2", &mut rng));
    }
}
