//! Reads and writes options that can be switched off: TOML has no null, and a missing key means the default.

/// Noise reduction as `"near_field"`, `"far_field"` or `"none"`.
pub(super) mod noise_reduction {
    use crate::options::NoiseReduction;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Written {
        NearField,
        FarField,
        None,
    }

    pub(in crate::options) fn serialize<S: Serializer>(
        noise: &Option<NoiseReduction>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let written = match noise {
            Some(NoiseReduction::NearField) => Written::NearField,
            Some(NoiseReduction::FarField) => Written::FarField,
            None => Written::None,
        };
        written.serialize(serializer)
    }

    pub(in crate::options) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<NoiseReduction>, D::Error> {
        Ok(match Written::deserialize(deserializer)? {
            Written::NearField => Some(NoiseReduction::NearField),
            Written::FarField => Some(NoiseReduction::FarField),
            Written::None => None,
        })
    }
}

/// Transcription as a table, or `false`.
pub(super) mod transcription {
    use crate::options::Transcription;
    use serde::de::value::MapAccessDeserializer;
    use serde::de::{Error, MapAccess, Unexpected, Visitor};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::fmt;

    pub(in crate::options) fn serialize<S: Serializer>(
        transcription: &Option<Transcription>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match transcription {
            Some(transcription) => transcription.serialize(serializer),
            None => serializer.serialize_bool(false),
        }
    }

    pub(in crate::options) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Transcription>, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Option<Transcription>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table, or false")
            }

            fn visit_bool<E: Error>(self, is_on: bool) -> Result<Self::Value, E> {
                match is_on {
                    false => Ok(None),
                    true => Err(E::invalid_value(Unexpected::Bool(true), &self)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Transcription::deserialize(MapAccessDeserializer::new(map)).map(Some)
            }
        }
        deserializer.deserialize_any(Visit)
    }
}

#[cfg(test)]
mod tests {
    use crate::Options;
    use serde_json::json;

    #[test]
    fn switched_off_options_round_trip() {
        let off = Options { noise_reduction: None, transcription: None, ..Options::default() };
        let written = serde_json::to_value(&off).unwrap();
        assert_eq!((&written["noise_reduction"], &written["transcription"]), (&json!("none"), &json!(false)));
        assert_eq!(serde_json::from_value::<Options>(written).unwrap(), off);
    }

    #[test]
    fn missing_options_have_their_defaults() {
        assert_eq!(serde_json::from_value::<Options>(json!({})).unwrap(), Options::default());
    }
}
