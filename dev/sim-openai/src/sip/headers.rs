//! The SIP headers of a call's INVITE, as the webhook shows them: in order, repeats kept.

use super::{CallSpec, SipFault};
use serde_json::{Value, json};

const HOST: &str = "sip.example.net";

/// `sip_headers` of the event.
pub(crate) fn of(spec: &CallSpec, project: &str, call: &str, fault: Option<SipFault>) -> Value {
    let usual = match fault {
        Some(SipFault::OddHeaders) => odd(spec, project, call),
        Some(SipFault::Withheld) => {
            with_caller("\"Anonymous\" <sip:anonymous@anonymous.invalid>", spec, project, call)
        }
        _ => {
            let from = if spec.from.contains('@') { format!("<sip:{}>", spec.from) } else { uri(&spec.from) };
            with_caller(&from, spec, project, call)
        }
    };
    let is_replaced = |name: &str| spec.headers.iter().any(|(own, _)| full_name(own) == full_name(name));
    let usual = usual.into_iter().filter(|(name, _)| !is_replaced(name));
    let all = usual.chain(spec.headers.iter().cloned());
    all.map(|(name, value)| json!({"name": name, "value": value})).collect()
}

fn with_caller(from: &str, spec: &CallSpec, project: &str, call: &str) -> Vec<(String, String)> {
    let to = format!("<sip:{project}@sip.api.openai.com>");
    let diversion = format!("{};reason=unconditional", uri(&spec.dialled));
    let headers = [
        ("Via", format!("SIP/2.0/TLS {HOST}:5061;branch=z9hG4bK{call}")),
        ("From", format!("{from};tag=a1")),
        ("To", to),
        ("Call-ID", format!("{call}@{HOST}")),
        ("CSeq", "1 INVITE".to_owned()),
        ("Diversion", diversion),
    ];
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The same in other words: compact names, folded values, a header twice, separators and escapes within numbers.
fn odd(spec: &CallSpec, project: &str, call: &str) -> Vec<(String, String)> {
    let escaped = spec.from.replace('+', "%2B");
    let (country, rest) = spec.dialled.split_at(spec.dialled.len().min(4));
    let headers = [
        ("v", format!("SIP/2.0/TLS {HOST}:5061;branch=z9hG4bK{call}")),
        ("v", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK0".to_owned()),
        ("f", format!("\"A, \\\"caller\\\"\"\r\n <sip:{escaped};tgrp=a@{HOST};user=phone>\r\n\t;tag=a1")),
        ("t", format!("sip:{project}@sip.api.openai.com")),
        ("i", format!("{call}@{HOST}")),
        ("CSEQ", "1 INVITE".to_owned()),
        ("diversion", format!("<tel:{country}-{rest}>;reason=no-answer")),
        ("Diversion", format!("<sip:+0000000@{HOST}>;reason=unconditional")),
    ];
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn uri(user: &str) -> String {
    format!("<sip:{user}@{HOST}>")
}

/// Names are compared without regard to case, and some have a short form.
fn full_name(name: &str) -> String {
    match name.to_ascii_lowercase().as_str() {
        "f" => "from".to_owned(),
        "t" => "to".to_owned(),
        "i" => "call-id".to_owned(),
        "v" => "via".to_owned(),
        full => full.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_names_its_caller_the_project_and_the_dialled_number() {
        let headers = of(&CallSpec::new("+35699000001", "+35621000000"), "proj_test", "rtc_1", None);

        assert_eq!(value(&headers, "From"), "<sip:+35699000001@sip.example.net>;tag=a1");
        assert_eq!(value(&headers, "To"), "<sip:proj_test@sip.api.openai.com>");
        assert_eq!(value(&headers, "Diversion"), "<sip:+35621000000@sip.example.net>;reason=unconditional");
    }

    #[test]
    fn a_header_of_the_calls_own_replaces_the_usual_one() {
        let spec = CallSpec::new("+35699000001", "+35621000000")
            .header("f", "<sip:+35699000002@carrier.example>;tag=b")
            .header("X-Ahoy-Key", "a key");

        let headers = of(&spec, "proj_test", "rtc_1", None);

        assert_eq!(value(&headers, "From"), Value::Null);
        assert_eq!(value(&headers, "f"), "<sip:+35699000002@carrier.example>;tag=b");
        assert_eq!(value(&headers, "X-Ahoy-Key"), "a key");
    }

    fn value(headers: &Value, name: &str) -> Value {
        let mut all = headers.as_array().into_iter().flatten();
        all.find(|header| header["name"] == name).map_or(Value::Null, |header| header["value"].clone())
    }
}
