//! Reads turn detection from one flat table, so that an error names the exact key.

use super::{Eagerness, SemanticVad, ServerVad, TurnDetection};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    r#type: Kind,
    threshold: Option<f64>,
    prefix_padding_ms: Option<u32>,
    silence_duration_ms: Option<u32>,
    idle_timeout_ms: Option<u32>,
    eagerness: Option<Eagerness>,
}

#[derive(Deserialize)]
enum Kind {
    #[serde(rename = "server_vad")]
    Server,
    #[serde(rename = "semantic_vad")]
    Semantic,
}

impl TryFrom<Written> for TurnDetection {
    /// Worded as serde words an unknown key, so that it is reported like any other.
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written.r#type {
            Kind::Server => written.server().map(Self::Server),
            Kind::Semantic => written.semantic().map(Self::Semantic),
        }
    }
}

impl Written {
    fn server(self) -> Result<ServerVad, String> {
        if self.eagerness.is_some() {
            let others = "`threshold`, `prefix_padding_ms`, `silence_duration_ms` or `idle_timeout_ms`";
            return Err(format!("unknown field `eagerness`, expected a key of server_vad: {others}"));
        }
        let default = ServerVad::default();
        Ok(ServerVad {
            threshold: self.threshold.unwrap_or(default.threshold),
            prefix_padding_ms: self.prefix_padding_ms.unwrap_or(default.prefix_padding_ms),
            silence_duration_ms: self.silence_duration_ms.unwrap_or(default.silence_duration_ms),
            idle_timeout_ms: self.idle_timeout_ms,
        })
    }

    fn semantic(self) -> Result<SemanticVad, String> {
        let others = [
            ("threshold", self.threshold.is_some()),
            ("prefix_padding_ms", self.prefix_padding_ms.is_some()),
            ("silence_duration_ms", self.silence_duration_ms.is_some()),
            ("idle_timeout_ms", self.idle_timeout_ms.is_some()),
        ];
        if let Some((key, _)) = others.iter().find(|(_, is_there)| *is_there) {
            return Err(format!(
                "unknown field `{key}`, expected a key of semantic_vad: `type` or `eagerness`"
            ));
        }
        Ok(SemanticVad { eagerness: self.eagerness.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn turn_detection_round_trips() {
        let semantic = TurnDetection::Semantic(SemanticVad { eagerness: Eagerness::Low });
        for turns in [TurnDetection::default(), semantic] {
            let written = serde_json::to_value(&turns).unwrap();
            assert_eq!(serde_json::from_value::<TurnDetection>(written).unwrap(), turns);
        }
    }

    #[test]
    fn a_key_of_the_other_kind_is_refused() {
        let read = |value| serde_json::from_value::<TurnDetection>(value);
        assert!(read(json!({"type": "server_vad", "eagerness": "low"})).is_err());
        assert!(read(json!({"type": "semantic_vad", "idle_timeout_ms": 6000})).is_err());
    }
}
