//! Tests where a text is cut, script by script.

use super::*;
use proptest::prelude::*;

const GREETING: &str = "お電話ありがとうございます。本日はどのようなご用件でしょうか。修理のご予約、在庫の確認、\
                        営業時間のご案内を承ります。";

#[test]
fn a_cut_never_splits_a_word_or_a_letter() {
    let cuts = [("héllo wörld", 8), ("héllo wörld", 5), ("héllo", 3), ("", 3)];

    assert_eq!(cuts.map(|(text, most)| shortened(text, most)), ["héllo", "héllo", "", ""]);
}

#[test]
fn a_script_without_spaces_is_cut_between_letters() {
    assert_eq!(half(GREETING), "お電話ありがとうございます。本日はどのようなご用件でしょう");
    assert_eq!(half("您好，这里是自行车店。请问有什么可以帮您？"), "您好，这里是自行车店。");
    assert_eq!(half("ขอบคุณที่โทรมา ร้านเปิดเก้าโมง"), "ขอบคุณที่โทรมา");
}

#[test]
fn a_script_with_spaces_is_cut_between_words() {
    assert_eq!(half("नमस्ते, आपकी साइकिल तैयार है"), "नमस्ते, आपकी");
    assert_eq!(half("دراجتك جاهزة ويمكنك استلامها اليوم"), "دراجتك جاهزة");
    assert_eq!(half("자전거 수리가 모두 끝났습니다"), "자전거 수리가");
}

#[test]
fn a_letter_of_several_characters_stays_whole() {
    // A family, a flag, a letter with two accents, a Hindi conjunct with its vowel, a Thai letter with vowel and tone.
    for letter in ["👨‍👩‍👧‍👦", "🇯🇵", "ą́", "क्षि", "ที่"] {
        let text = letter.repeat(30);
        for most in 0..30 {
            let cut = shortened(&text, most);
            assert_eq!(cut.len() % letter.len(), 0, "{letter} of {most} letters");
        }
        assert!(!shortened(&text, 25).is_empty(), "{letter}");
    }
}

#[test]
fn an_overlong_word_is_cut_inside() {
    let word = "donaudampfschifffahrtsgesellschaftskapitaen";
    assert_eq!(half(word), "donaudampfschifffahrt");
    assert_eq!(
        half("https://example.com/ways/to/the/shop/behind/the/old/mill"),
        "https://example.com/ways/to/t"
    );
    assert_eq!(shortened(word, 20), "", "so little of it is no word");
}

#[test]
fn mixed_text_is_cut_by_the_script_at_the_place() {
    let text = "Your order is 東京タワー前店 and it opens at nine";

    assert_eq!(shortened(text, 8), "Your");
    assert_eq!(shortened(text, 16), "Your order is 東京");
    assert_eq!(shortened(text, 24), "Your order is 東京タワー前店");
    assert_eq!(shortened("ご予約は「火曜日」です", 5), "ご予約は", "no bracket is opened for nothing");
    assert_eq!(shortened("Done 👍👍 see you", 6), "Done 👍");
}

#[test]
fn letters_in_a_second_of_sound_depend_on_the_script() {
    let letters = |text: &str| words_within(text, Duration::from_secs(2)).graphemes(true).count();

    assert_eq!(letters(&"あ".repeat(99)), 15);
    assert_eq!(letters(&"中".repeat(99)), 10);
    assert_eq!(letters(&"한".repeat(99)), 12);
    assert_eq!(letters(&"ก".repeat(99)), 20);
    assert_eq!(letters(&"a".repeat(99)), 30);
}

#[test]
fn unspoken_symbols_take_no_time() {
    assert_eq!(words_within("はい。👍", Duration::from_millis(280)), "はい。👍");
}

proptest! {
    #[test]
    fn more_sound_is_never_fewer_words(text in "[a-z あ-ん一-十ก-ฮक-ह한👍。,0-9]{0,60}", heard in 0_u64..1_000) {
        let ms = Duration::from_millis;
        let (less, more) = (heard_words(&text, ms(heard), ms(1_000)), heard_words(&text, ms(heard + 1), ms(1_000)));

        prop_assert!(text.starts_with(less) && text.starts_with(more) && less.len() <= more.len());
    }
}

fn half(text: &str) -> &str {
    heard_words(text, Duration::from_secs(2), Duration::from_secs(4))
}
