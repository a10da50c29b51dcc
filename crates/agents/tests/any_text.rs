//! Parsing any text ends with an agent or with a one-line error.

use agents::Agent;
use proptest::prelude::*;

const SHOP: &str = include_str!("../../../agents/bike-shop.toml");

fn check(text: &str) {
    if let Err(wrong) = Agent::read(text) {
        assert!(!wrong.to_string().contains('\n') && wrong.line >= 1 && !wrong.field.is_empty(), "{wrong}");
        assert!(wrong.line <= text.lines().count().max(1) + 1, "{wrong}");
    }
}

proptest! {
    #[test]
    fn any_text_parses_or_is_refused(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn any_toml_like_text_parses_or_is_refused(
        text in r#"((\[{1,2}[a-z.]{1,9}\]{1,2}|[a-z."]{1,9} ?= ?(-?[0-9.]{1,5}|"[^"\n]{0,9}"|true|nan|\[.?\]|\{.?\}))\n){0,9}"#
    ) {
        check(&text);
    }

    #[test]
    fn any_damaged_file_parses_or_is_refused(at in 0..SHOP.len(), length in 0..40_usize, with in ".{0,12}") {
        let end = (at + length).min(SHOP.len());
        if SHOP.is_char_boundary(at) && SHOP.is_char_boundary(end) {
            check(&format!("{}{with}{}", &SHOP[..at], &SHOP[end..]));
        }
    }

    #[test]
    fn any_value_of_any_key_parses_or_is_refused(
        line in 0..SHOP.lines().count(),
        value in r#"-?[0-9]{1,19}|[0-9.]{1,6}|"[^"\n]{0,20}"|true|inf|\[\]|\{\}|2026-01-01"#
    ) {
        let lines = SHOP.lines().enumerate().map(|(index, text)| match text.split_once(" = ") {
            Some((key, _)) if index == line => format!("{key} = {value}\n"),
            Some(_) | None => format!("{text}\n"),
        });
        check(&lines.collect::<String>());
    }

    #[test]
    fn no_error_repeats_a_value(line in 0..SHOP.lines().count(), before in "[a-z ,`:]{0,9}") {
        let lines = SHOP.lines().enumerate().map(|(index, text)| match text.split_once(" = ") {
            // The name of a time zone is repeated on purpose.
            Some((key, _)) if index == line && key != "zone" => {
                format!("{key} = \"{before} planted, expected `planted` or planted\"\n")
            }
            Some(_) | None => format!("{text}\n"),
        });
        if let Err(wrong) = Agent::read(&lines.collect::<String>()) {
            prop_assert!(!wrong.to_string().contains("planted"), "{}", wrong);
        }
    }
}
