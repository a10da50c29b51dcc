//! How a session is configured: everything in the first `session.update`, since one that is refused is refused whole.

use serde_json::{Value, json};

/// A session's configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// What the agent is and how it behaves.
    pub instructions: String,
    /// How it greets, as an instruction for the first response.
    pub greeting: String,
    /// OpenAI's name of the voice.
    pub voice: String,
    /// When a turn ends.
    pub turn_detection: TurnDetection,
}

/// Server-side voice activity detection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TurnDetection {
    /// 0 to 1; higher needs louder speech.
    pub threshold: f64,
    /// Sound kept from before detected speech, ms.
    pub prefix_padding_ms: u32,
    /// Silence that ends a turn, ms.
    pub silence_duration_ms: u32,
}

impl Default for TurnDetection {
    /// For a telephone line: the defaults suit a close headset, where nothing echoes.
    fn default() -> Self {
        Self { threshold: 0.6, prefix_padding_ms: 300, silence_duration_ms: 500 }
    }
}

impl Config {
    /// The `session` of a `session.update`. PCM at 24 kHz both ways: no resampler, wideband.
    pub(crate) fn session(&self) -> Value {
        let format = json!({"type": "audio/pcm", "rate": 24_000});
        let vad = &self.turn_detection;
        json!({
            "type": "realtime",
            "instructions": self.instructions,
            "output_modalities": ["audio"],
            "audio": {
                "input": {
                    "format": format,
                    "noise_reduction": {"type": "near_field"},
                    "turn_detection": {
                        "type": "server_vad",
                        "threshold": vad.threshold,
                        "prefix_padding_ms": vad.prefix_padding_ms,
                        "silence_duration_ms": vad.silence_duration_ms,
                        "create_response": true,
                        "interrupt_response": true,
                        // A caller who listens to the ringing tone has not been silent for long.
                        "idle_timeout_ms": null,
                    },
                },
                "output": {"format": format, "voice": self.voice},
            },
        })
    }

    /// The `response` of the first `response.create`. Its instructions replace the session's, so they hold both.
    pub(crate) fn first_response(&self, event_id: &str) -> Value {
        json!({
            "instructions": format!("{}\n\n{}", self.instructions, self.greeting),
            "metadata": {"client_event_id": event_id},
        })
    }
}
