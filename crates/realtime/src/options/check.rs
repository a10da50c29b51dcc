//! Checks options before OpenAI does: documented ranges, what fits which model, and models about to be retired.

use super::{Options, ServerVad, Transcription, TurnDetection};
use std::fmt::Display;
use std::ops::RangeInclusive;

/// The longest prompt of a transcription, in characters. A guess: OpenAI's guide says that there is a limit, but not which.
const LONGEST_PROMPT: usize = 4096;

/// An option that OpenAI refuses, now or soon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionError {
    /// The option's dotted name, such as `turn_detection.threshold`.
    pub field: &'static str,
    /// Why it is refused, and what is accepted. Does not repeat the value.
    pub reason: String,
}

impl Options {
    /// Checks that every option is in its range and fits the others.
    ///
    /// An unknown model, such as the name of a deployment, is taken to support everything.
    ///
    /// # Errors
    /// Returns the first option that OpenAI would refuse.
    pub fn check(&self) -> Result<(), OptionError> {
        if let Some(name) = &self.name {
            model(name)?;
        }
        word("voice", &self.voice)?;
        within("speed", self.speed, 0.25..=1.5, "")?;
        if self.reasoning_effort.is_some() && self.name.as_deref().is_some_and(does_not_reason) {
            return refuse("reasoning_effort", "is not for this model, which does not reason: leave it out");
        }
        if let Some(tokens) = self.max_output_tokens {
            within("max_output_tokens", tokens, 1..=4096, "")?;
        }
        match &self.turn_detection {
            TurnDetection::Server(server) => server_vad(server)?,
            TurnDetection::Semantic(_) => {}
        }
        self.transcription.as_ref().map_or(Ok(()), transcription)
    }
}

impl Options {
    /// Checks the options of a file that is about to be pushed: as [`Options::check`], and for what older releases did not know to be
    /// refused.
    ///
    /// Running programs accept files that were pushed earlier, and leave out what is refused.
    ///
    /// # Errors
    /// Returns the first option that OpenAI would refuse.
    pub fn check_new(&self) -> Result<(), OptionError> {
        self.check()?;
        let Some(transcription) = &self.transcription else { return Ok(()) };
        if !transcription.keywords.iter().all(|keyword| is_accepted_keyword(keyword)) {
            let reason = "must each be one line without < and >: the transcriber refuses others";
            return refuse("transcription.keywords", reason);
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

/// Checks the model's name. Source: OpenAI's model and deprecation pages of 2026.
fn model(name: &str) -> Result<(), OptionError> {
    word("name", name)?;
    if is_or_dated(name, "gpt-realtime") || is_or_dated(name, "gpt-audio") {
        return refuse("name", "is switched off on 2027-01-20: use gpt-realtime-2.1");
    }
    if is_or_dated(name, "gpt-realtime-mini") || is_or_dated(name, "gpt-audio-mini") {
        return refuse("name", "is switched off on 2027-01-20: use gpt-realtime-2.1-mini");
    }
    if name.starts_with("gpt-4o") {
        return refuse("name", "is not a model of today's Realtime API: use gpt-realtime-2.1");
    }
    if name.starts_with("gpt-live") {
        return refuse("name", "is a model of the Live API, not of the Realtime API: use gpt-realtime-2.1");
    }
    if name.contains("transcribe") || name.contains("whisper") || name.contains("translate") {
        return refuse("name", "does not hold conversations: use gpt-realtime-2.1");
    }
    Ok(())
}

fn does_not_reason(name: &str) -> bool {
    is_or_dated(name, "gpt-realtime-1.5")
}

/// Whether a name is this model, or a dated edition of it such as `gpt-realtime-2025-08-28`.
pub(super) fn is_or_dated(name: &str, model: &str) -> bool {
    let Some(rest) = name.strip_prefix(model) else { return false };
    let is_date =
        |date: &str| date.len() == 10 && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    rest.is_empty() || rest.strip_prefix('-').is_some_and(is_date)
}

/// Checks server VAD. Padding and silence have no documented range; ours refuses values that were meant in seconds.
fn server_vad(server: &ServerVad) -> Result<(), OptionError> {
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
        return refuse("transcription.model", "is switched off on 2027-02-26: use gpt-transcribe");
    }
    if let Some(language) = &transcription.language
        && !(language.len() == 2 && language.bytes().all(|byte| byte.is_ascii_lowercase()))
    {
        return refuse("transcription.language", "must be a language of ISO 639-1, two letters: \"pt\"");
    }
    if !transcription.keywords.is_empty() && !transcription.takes_hints() {
        return refuse("transcription.keywords", "are only for gpt-transcribe and gpt-live-transcribe");
    }
    if transcription.keywords.iter().any(|keyword| keyword.trim().is_empty()) {
        return refuse("transcription.keywords", "contain an empty keyword");
    }
    if transcription.prompt.as_ref().is_some_and(|prompt| prompt.trim().is_empty()) {
        return refuse("transcription.prompt", "is empty");
    }
    Ok(())
}

/// Whether the service accepts a keyword: one line without `<` and `>`.
pub(crate) fn is_accepted_keyword(keyword: &str) -> bool {
    !keyword.contains(['<', '>', '\r', '\n'])
}

/// Checks a name of the vendor's: one word of reasonable length.
fn word(field: &'static str, value: &str) -> Result<(), OptionError> {
    if (1..=128).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    refuse(field, "must be one word of at most 128 characters")
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

fn refuse(field: &'static str, reason: &str) -> Result<(), OptionError> {
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
        options.check().err().map(|error| error.field)
    }

    #[test]
    fn the_defaults_are_accepted() {
        assert_eq!(Options::default().check(), Ok(()));
    }

    #[test]
    fn current_models_and_deployment_names_are_accepted() {
        for name in
            ["gpt-realtime-2.1", "gpt-realtime-2.1-mini", "gpt-realtime-2", "gpt-realtime-1.5", "our-voice"]
        {
            assert_eq!(named(name).check(), Ok(()), "{name}");
        }
    }

    #[test]
    fn retiring_models_are_refused_with_their_replacement() {
        for name in
            ["gpt-realtime", "gpt-realtime-2025-08-28", "gpt-realtime-mini-2025-12-15", "gpt-audio-mini"]
        {
            let reason = named(name).check().unwrap_err().reason;
            assert!(reason.contains("2027-01-20") && reason.contains("use gpt-realtime-2.1"), "{name}");
        }
    }

    #[test]
    fn a_model_without_reasoning_refuses_an_effort() {
        let thinking = |name| Options { reasoning_effort: Some(Effort::Low), ..named(name) };
        assert_eq!(field(&thinking("gpt-realtime-1.5")), Some("reasoning_effort"));
        assert_eq!(field(&thinking("gpt-realtime-2.1-mini")), None);
    }

    #[test]
    fn range_bounds_are_inclusive_and_nan_is_refused() {
        let speed = |speed| field(&Options { speed, ..Options::default() });
        assert_eq!([speed(0.25), speed(1.5)], [None; 2]);
        assert_eq!([speed(0.24), speed(1.51), speed(f64::NAN)], [Some("speed"); 3]);
    }

    #[test]
    fn what_transcription_refuses_is_refused_in_new_files_only() {
        let options = |keyword: &str, prompt: &str| {
            let (keywords, prompt) = (vec![keyword.to_owned()], Some(prompt.to_owned()));
            let transcription = Some(Transcription { keywords, prompt, ..Transcription::default() });
            Options { transcription, ..Options::default() }
        };
        let new = |options: &Options| options.check_new().err().map(|error| error.field);

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
    fn keywords_need_a_model_that_accepts_them() {
        let keywords = vec!["Mirsk".to_owned()];
        let model = "gpt-realtime-whisper".to_owned();
        let transcription = Some(Transcription { model, keywords, ..Transcription::default() });
        let options = Options { transcription, ..Options::default() };
        assert_eq!(field(&options), Some("transcription.keywords"));
    }
}
