//! Which part an error refuses.

use super::*;
use crate::Private;

const TYPE: &str = "invalid_request_error";

#[test]
fn a_param_names_its_part_however_it_is_spelled() {
    for (param, part) in [
        ("session.audio.input.transcription", Some(Part::Transcription)),
        ("session.audio.input.transcription.language", Some(Part::Transcription)),
        ("session.audio.input.transcription.languages[0]", Some(Part::Transcription)),
        ("session['audio']['input']['transcription']", Some(Part::Transcription)),
        ("audio.input.transcription.model", Some(Part::Transcription)),
        ("session.input_audio_transcription.model", Some(Part::Transcription)),
        ("session.audio.input.noise_reduction.type", Some(Part::NoiseReduction)),
        ("session[audio][input][noise_reduction]", Some(Part::NoiseReduction)),
        ("/session/audio/output/speed", Some(Part::Speed)),
        ("session.audio.output.speed", Some(Part::Speed)),
        ("session.reasoning.effort", Some(Part::Reasoning)),
        ("reasoning", Some(Part::Reasoning)),
        ("session.tools[0].parameters.properties.speed", None),
        ("session.audio.input.turn_detection.speed", None),
        ("session.audio.output.voice", None),
        ("model", None),
    ] {
        assert_eq!(refused(Some(param), None, "session.audio.input.transcription is fine"), part, "{param}");
    }
}

#[test]
fn without_a_param_a_path_in_the_message_names_the_part() {
    let unknown = "Unknown parameter: 'session.audio.input.transcription.languages'.";
    assert_eq!(refused(None, Some("unknown_parameter"), unknown), Some(Part::Transcription));
    assert_eq!(refused(Some(""), None, unknown), Some(Part::Transcription));
    assert_eq!(refused(Some("session"), None, unknown), Some(Part::Transcription));

    let tools = "Invalid value for 'session.tools[0].parameters': reasoning about it is not possible.";
    assert_eq!(refused(None, Some("invalid_value"), tools), None);
}

#[test]
fn without_a_param_the_transcribers_name_is_the_transcription() {
    let message = "Project `proj_1` does not have access to model `gpt-transcribe`.";
    assert_eq!(refused(None, Some("model_not_found"), message), Some(Part::Transcription));
    assert_eq!(refused(Some("model"), Some("invalid_model"), message), Some(Part::Transcription));

    let other = "The model `gpt-realtime-9` does not exist.";
    assert_eq!(refused(None, Some("model_not_found"), other), None);
}

#[test]
fn without_a_param_the_only_part_named_is_refused() {
    assert_eq!(refused(None, None, "Reasoning effort is not supported here."), Some(Part::Reasoning));
    assert_eq!(refused(None, Some("noise_reduction_not_supported"), "No."), Some(Part::NoiseReduction));
    assert_eq!(refused(None, Some("invalid_speed"), ""), Some(Part::Speed));

    assert_eq!(refused(None, None, "Neither speed nor reasoning can be set."), None);
    assert_eq!(refused(None, None, "The tool `speedtest` is not valid."), None);
    assert_eq!(refused(None, Some("insufficient_quota"), "You exceeded your current quota."), None);
}

#[test]
fn what_the_service_itself_broke_refuses_no_part() {
    let error = |kind: &str| ErrorInfo {
        r#type: Some(kind.to_owned()),
        message: Some(Private("The transcription is not available.".to_owned())),
        ..ErrorInfo::default()
    };

    assert_eq!(Part::refused_by(&error("server_error"), &Options::default()), None);
    assert_eq!(Part::refused_by(&error(TYPE), &Options::default()), Some(Part::Transcription));
}

fn refused(param: Option<&str>, code: Option<&str>, message: &str) -> Option<Part> {
    let error = ErrorInfo {
        r#type: Some(TYPE.to_owned()),
        code: code.map(str::to_owned),
        message: Some(Private(message.to_owned())),
        param: param.map(str::to_owned),
        event_id: None,
    };
    Part::refused_by(&error, &Options::default())
}
