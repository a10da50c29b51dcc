//! Tests which optional part an error refuses.

use super::*;
use crate::Redacted;

const TYPE: &str = "invalid_request_error";

#[test]
fn a_param_names_its_part_however_it_is_spelled() {
    for (param, part) in [
        ("session.audio.input.transcription", Some(OptionalPart::Transcription)),
        ("session.audio.input.transcription.language", Some(OptionalPart::Transcription)),
        ("session.audio.input.transcription.languages[0]", Some(OptionalPart::Transcription)),
        ("session['audio']['input']['transcription']", Some(OptionalPart::Transcription)),
        ("audio.input.transcription.model", Some(OptionalPart::Transcription)),
        ("session.input_audio_transcription.model", Some(OptionalPart::Transcription)),
        ("session.audio.input.noise_reduction.type", Some(OptionalPart::NoiseReduction)),
        ("session[audio][input][noise_reduction]", Some(OptionalPart::NoiseReduction)),
        ("/session/audio/output/speed", Some(OptionalPart::Speed)),
        ("session.audio.output.speed", Some(OptionalPart::Speed)),
        ("session.reasoning.effort", Some(OptionalPart::Reasoning)),
        ("reasoning", Some(OptionalPart::Reasoning)),
        ("session.tools[0].parameters.properties.speed", None),
        ("session.audio.input.turn_detection.threshold", Some(OptionalPart::VadNumbers)),
        ("session.audio.output.voice", None),
        ("model", None),
    ] {
        assert_eq!(refused(Some(param), None, "session.audio.input.transcription is fine"), part, "{param}");
    }
}

#[test]
fn without_a_param_a_path_in_the_message_names_the_part() {
    let unknown = "Unknown parameter: 'session.audio.input.transcription.languages'.";
    assert_eq!(refused(None, Some("unknown_parameter"), unknown), Some(OptionalPart::Transcription));
    assert_eq!(refused(Some(""), None, unknown), Some(OptionalPart::Transcription));
    assert_eq!(refused(Some("session"), None, unknown), Some(OptionalPart::Transcription));

    let tools = "Invalid value for 'session.tools[0].parameters': reasoning about it is not possible.";
    assert_eq!(refused(None, Some("invalid_value"), tools), None);
}

#[test]
fn without_a_param_the_transcribers_name_is_the_transcription() {
    let message = "Project `proj_1` does not have access to model `gpt-transcribe`.";
    assert_eq!(refused(None, Some("model_not_found"), message), Some(OptionalPart::Transcription));
    assert_eq!(refused(Some("model"), Some("invalid_model"), message), Some(OptionalPart::Transcription));

    let other = "The model `gpt-realtime-9` does not exist.";
    assert_eq!(refused(None, Some("model_not_found"), other), None);
}

#[test]
fn without_a_param_the_only_part_named_is_refused() {
    assert_eq!(refused(None, None, "Reasoning effort is not supported here."), Some(OptionalPart::Reasoning));
    assert_eq!(
        refused(None, Some("noise_reduction_not_supported"), "No."),
        Some(OptionalPart::NoiseReduction)
    );
    assert_eq!(refused(None, Some("invalid_speed"), ""), Some(OptionalPart::Speed));

    assert_eq!(refused(None, None, "Neither speed nor reasoning can be set."), None);
    assert_eq!(refused(None, None, "The tool `speedtest` is not valid."), None);
    assert_eq!(refused(None, Some("insufficient_quota"), "You exceeded your current quota."), None);
}

#[test]
fn a_server_error_refuses_no_part() {
    let error = |kind: &str| ErrorInfo {
        r#type: Some(kind.to_owned()),
        message: Some(Redacted("The transcription is not available.".to_owned())),
        ..ErrorInfo::default()
    };

    assert_eq!(OptionalPart::refused_by(&error("server_error"), &Options::default()), None);
    assert_eq!(
        OptionalPart::refused_by(&error(TYPE), &Options::default()),
        Some(OptionalPart::Transcription)
    );
}

fn refused(param: Option<&str>, code: Option<&str>, message: &str) -> Option<OptionalPart> {
    let error = ErrorInfo {
        r#type: Some(TYPE.to_owned()),
        code: code.map(str::to_owned),
        message: Some(Redacted(message.to_owned())),
        param: param.map(str::to_owned),
        event_id: None,
    };
    OptionalPart::refused_by(&error, &Options::default())
}
