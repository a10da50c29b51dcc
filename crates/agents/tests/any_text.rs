//! Whatever is in a file, reading it ends with an agent or with one line about it.

use agents::Agent;
use proptest::prelude::*;

const SHOP: &str = include_str!("../../../agents/bike-shop.toml");

fn judge(text: &str) {
    if let Err(wrong) = Agent::read(text) {
        assert!(!wrong.to_string().contains('\n') && wrong.line >= 1 && !wrong.field.is_empty(), "{wrong}");
        assert!(wrong.line <= text.lines().count().max(1) + 1, "{wrong}");
    }
}

proptest! {
    #[test]
    fn any_text_is_judged(text in any::<String>()) {
        judge(&text);
    }

    #[test]
    fn anything_that_looks_like_toml_is_judged(
        text in r#"((\[{1,2}[a-z.]{1,9}\]{1,2}|[a-z."]{1,9} ?= ?(-?[0-9.]{1,5}|"[^"\n]{0,9}"|true|nan|\[.?\]|\{.?\}))\n){0,9}"#
    ) {
        judge(&text);
    }

    #[test]
    fn any_damage_to_a_good_file_is_judged(at in 0..SHOP.len(), length in 0..40_usize, with in ".{0,12}") {
        let end = (at + length).min(SHOP.len());
        if SHOP.is_char_boundary(at) && SHOP.is_char_boundary(end) {
            judge(&format!("{}{with}{}", &SHOP[..at], &SHOP[end..]));
        }
    }

    #[test]
    fn any_value_of_any_key_is_judged(
        line in 0..SHOP.lines().count(),
        value in r#"-?[0-9]{1,19}|[0-9.]{1,6}|"[^"\n]{0,20}"|true|inf|\[\]|\{\}|2026-01-01"#
    ) {
        let lines = SHOP.lines().enumerate().map(|(index, text)| match text.split_once(" = ") {
            Some((key, _)) if index == line => format!("{key} = {value}\n"),
            Some(_) | None => format!("{text}\n"),
        });
        judge(&lines.collect::<String>());
    }
}
