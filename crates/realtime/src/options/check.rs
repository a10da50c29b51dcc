//! Whether OpenAI would take the options: its documented ranges, what fits which model, and what is about to be retired.

use super::{Options, ServerVad, Transcription, TurnDetection};
use std::fmt::Display;
use std::ops::RangeInclusive;

/// The longest prompt of a transcriber, characters. A guess: OpenAI's guide says that there is a limit and not which.
const LONGEST_PROMPT: usize = 4096;

/// An option that OpenAI would refuse, now or soon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionError {
    /// Its name, dotted: `turn_detection.threshold`.
    pub field: &'static str,
    /// Why, and what would be right. Does not repeat the value.
    pub reason: String,
}

impl Options {
    /// Whether every option is in its range, and fits the others. A model nobody knows, such as the name of a
    /// deployment, is taken for one that can do everything.
    pub fn check(&self) -> Result<(), OptionError> {
        if let Some(name) = &self.name {
            model(name)?;
        }
        word("voice", &self.voice)?;
        within("speed", self.speed, 0.25..=1.5, "")?;
        if self.reasoning_effort.is_some() && self.name.as_deref().is_some_and(does_not_reason) {
            return unfit("reasoning_effort", "is not for this model, which does not reason: leave it out");
        }
        if let Some(tokens) = self.max_output_tokens {
            within("max_output_tokens", tokens, 1..=4096, "")?;
        }
        match &self.turn_detection {
            TurnDetection::Server(server) => turns(server)?,
            TurnDetection::Semantic(_) => {}
        }
        self.transcription.as_ref().map_or(Ok(()), transcription)
    }
}

impl Options {
    /// As [`Options::check`], with what was not known to be refused when files were pushed earlier: for files that are yet
    /// to be pushed. Programs that run read those of before, and leave out what is refused.
    pub fn check_new(&self) -> Result<(), OptionError> {
        self.check()?;
        let Some(transcription) = &self.transcription else { return Ok(()) };
        if !transcription.keywords.iter().all(|keyword| is_fit_keyword(keyword)) {
            let reason = "must each be one line without < and >: the transcriber refuses others";
            return unfit("transcription.keywords", reason);
        }
        let length = transcription.prompt.as_ref().map_or(0, |prompt| prompt.chars().count());
        if length > LONGEST_PROMPT {
            let reason =
                format!("has {length} characters; the transcriber may refuse more than {LONGEST_PROMPT}");
            return Err(OptionError { field: "transcription.prompt", reason });
        }
        Ok(())
    }
}

/// Source: OpenAI's model and deprecation pages of 2026.
fn model(name: &str) -> Result<(), OptionError> {
    word("name", name)?;
    if is_or_dated(name, "gpt-realtime") || is_or_dated(name, "gpt-audio") {
        return unfit("name", "is switched off on 2027-01-20: use gpt-realtime-2.1");
    }
    if is_or_dated(name, "gpt-realtime-mini") || is_or_dated(name, "gpt-audio-mini") {
        return unfit("name", "is switched off on 2027-01-20: use gpt-realtime-2.1-mini");
    }
    if name.starts_with("gpt-4o") {
        return unfit("name", "is no model of today's Realtime API: use gpt-realtime-2.1");
    }
    if name.starts_with("gpt-live") {
        return unfit("name", "is a model of the Live API, not of the Realtime API: use gpt-realtime-2.1");
    }
    if name.contains("transcribe") || name.contains("whisper") || name.contains("translate") {
        return unfit("name", "does not hold conversations: use gpt-realtime-2.1");
    }
    Ok(())
}

fn does_not_reason(name: &str) -> bool {
    is_or_dated(name, "gpt-realtime-1.5")
}

/// Whether it is this model, or a dated edition of it such as `gpt-realtime-2025-08-28`.
pub(super) fn is_or_dated(name: &str, model: &str) -> bool {
    let Some(rest) = name.strip_prefix(model) else { return false };
    let is_date =
        |date: &str| date.len() == 10 && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    rest.is_empty() || rest.strip_prefix('-').is_some_and(is_date)
}

/// Padding and silence have no documented range; ours keeps out what was meant in seconds.
fn turns(server: &ServerVad) -> Result<(), OptionError> {
    within("turn_detection.threshold", server.threshold, 0.0..=1.0, "")?;
    within("turn_detection.prefix_padding_ms", server.prefix_padding_ms, 0..=5000, " ms")?;
    within("turn_detection.silence_duration_ms", server.silence_duration_ms, 50..=10_000, " ms")?;
    match server.idle_timeout_ms {
        Some(idle) => within("turn_detection.idle_timeout_ms", idle, 5000..=30_000, " ms"),
        None => Ok(()),
    }
}

fn transcription(transcription: &Transcription) -> Result<(), OptionError> {
    let model = transcription.model.as_str();
    word("transcription.model", model)?;
    if model == "whisper-1" || (model.starts_with("gpt-4o") && model.contains("transcribe")) {
        return unfit("transcription.model", "is switched off on 2027-02-26: use gpt-transcribe");
    }
    if let Some(language) = &transcription.language
        && !(language.len() == 2 && language.bytes().all(|byte| byte.is_ascii_lowercase()))
    {
        return unfit("transcription.language", "must be a language of ISO 639-1, two letters: \"pt\"");
    }
    if !transcription.keywords.is_empty() && !transcription.takes_hints() {
        return unfit("transcription.keywords", "are only for gpt-transcribe and gpt-live-transcribe");
    }
    if transcription.keywords.iter().any(|keyword| keyword.trim().is_empty()) {
        return unfit("transcription.keywords", "hold an empty one");
    }
    if transcription.prompt.as_ref().is_some_and(|prompt| prompt.trim().is_empty()) {
        return unfit("transcription.prompt", "is empty");
    }
    Ok(())
}

/// Whether the service takes a keyword: each is one line without `<` and `>`.
pub(crate) fn is_fit_keyword(keyword: &str) -> bool {
    !keyword.contains(['<', '>', '\r', '\n'])
}

/// A vendor's name of something: one word of reasonable length.
fn word(field: &'static str, value: &str) -> Result<(), OptionError> {
    if (1..=128).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    unfit(field, "must be one word of at most 128 characters")
}

fn within<T: PartialOrd + Display>(
    field: &'static str,
    value: T,
    bounds: RangeInclusive<T>,
    unit: &str,
) -> Result<(), OptionError> {
    if bounds.contains(&value) {
        return Ok(());
    }
    Err(OptionError { field, reason: format!("must be {} to {}{unit}", bounds.start(), bounds.end()) })
}

fn unfit(field: &'static str, reason: &str) -> Result<(), OptionError> {
    Err(OptionError { field, reason: reason.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Effort;

    fn named(name: &str) -> Options {
        Options { name: Some(name.to_owned()), ..Options::default() }
    }

    fn field(options: &Options) -> Option<&'static str> {
        options.check().err().map(|unfit| unfit.field)
    }

    #[test]
    fn the_defaults_are_fit() {
        assert_eq!(Options::default().check(), Ok(()));
    }

    #[test]
    fn todays_models_and_names_of_deployments_are_taken() {
        for name in
            ["gpt-realtime-2.1", "gpt-realtime-2.1-mini", "gpt-realtime-2", "gpt-realtime-1.5", "our-voice"]
        {
            assert_eq!(named(name).check(), Ok(()), "{name}");
        }
    }

    #[test]
    fn models_that_retire_are_refused_with_their_cure() {
        for name in
            ["gpt-realtime", "gpt-realtime-2025-08-28", "gpt-realtime-mini-2025-12-15", "gpt-audio-mini"]
        {
            let reason = named(name).check().unwrap_err().reason;
            assert!(reason.contains("2027-01-20") && reason.contains("use gpt-realtime-2.1"), "{name}");
        }
    }

    #[test]
    fn a_model_that_does_not_reason_takes_no_effort() {
        let thinking = |name| Options { reasoning_effort: Some(Effort::Low), ..named(name) };
        assert_eq!(field(&thinking("gpt-realtime-1.5")), Some("reasoning_effort"));
        assert_eq!(field(&thinking("gpt-realtime-2.1-mini")), None);
    }

    #[test]
    fn the_ends_of_a_range_belong_to_it_and_no_number_is_outside() {
        let speed = |speed| field(&Options { speed, ..Options::default() });
        assert_eq!([speed(0.25), speed(1.5)], [None; 2]);
        assert_eq!([speed(0.24), speed(1.51), speed(f64::NAN)], [Some("speed"); 3]);
    }

    #[test]
    fn what_the_transcriber_refuses_is_refused_in_new_files_only() {
        let options = |keyword: &str, prompt: &str| {
            let (keywords, prompt) = (vec![keyword.to_owned()], Some(prompt.to_owned()));
            let transcription = Some(Transcription { keywords, prompt, ..Transcription::default() });
            Options { transcription, ..Options::default() }
        };
        let new = |options: &Options| options.check_new().err().map(|unfit| unfit.field);

        assert_eq!(new(&options("Mirsk & Sons", "Bikes.")), None);
        for keyword in ["<b>", "a > b", "two\nlines", "two\rlines"] {
            let options = options(keyword, "Bikes.");
            assert_eq!(
                (new(&options), field(&options)),
                (Some("transcription.keywords"), None),
                "{keyword:?}"
            );
        }
        let long = options("Mirsk", &"é".repeat(LONGEST_PROMPT + 1));
        assert_eq!((new(&long), field(&long)), (Some("transcription.prompt"), None));
        assert_eq!(new(&options("Mirsk", &"é".repeat(LONGEST_PROMPT))), None);
    }

    #[test]
    fn keywords_need_a_model_that_takes_them() {
        let keywords = vec!["Mirsk".to_owned()];
        let model = "gpt-realtime-whisper".to_owned();
        let transcription = Some(Transcription { model, keywords, ..Transcription::default() });
        let options = Options { transcription, ..Options::default() };
        assert_eq!(field(&options), Some("transcription.keywords"));
    }
}
