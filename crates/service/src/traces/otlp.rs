//! Converts spans to OpenTelemetry's types and creates the OTLP exporter.

use super::settings::TraceSettings;
use crate::env::SettingError;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{Array, InstrumentationScope, KeyValue, Value};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::EnvResourceDetector;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanExporter as _, SpanLinks};
use reqwest::{Client, redirect};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use traces::Span;

/// Returns the exporter. The crate reads the headers from the environment itself; [`TraceSettings`] has checked them.
pub(super) fn exporter(settings: &TraceSettings) -> Result<SpanExporter, SettingError> {
    let wrong = |reason: String| SettingError::Malformed {
        name: settings.endpoint_is_in,
        value: settings.endpoint.to_string(),
        reason,
    };
    // Headers hold API keys: redirects are not followed, so they reach only the configured endpoint.
    let client = Client::builder().redirect(redirect::Policy::none()).timeout(settings.timeout).build();
    let mut exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client.map_err(|error| wrong(error.to_string()))?)
        .with_endpoint(settings.endpoint.as_str())
        .with_timeout(settings.timeout)
        .build()
        .map_err(|error| wrong(error.to_string()))?;
    exporter.set_resource(&resource(settings));
    Ok(exporter)
}

/// Returns the resource: program, stack and version, which `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` override.
fn resource(settings: &TraceSettings) -> Resource {
    let named = settings.service.clone().map(|name| KeyValue::new("service.name", name));
    Resource::builder_empty()
        .with_attribute(KeyValue::new("service.name", settings.program))
        .with_attribute(KeyValue::new("service.namespace", settings.stack.clone()))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_detector(Box::new(EnvResourceDetector::new()))
        .with_attributes(named)
        .build()
}

/// Converts a span to the exporter's type.
pub(super) fn data(span: Span) -> SpanData {
    SpanData {
        span_context: SpanContext::new(
            TraceId::from_bytes(span.trace),
            SpanId::from_bytes(span.id),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        ),
        parent_span_id: span.parent.map_or(SpanId::INVALID, SpanId::from_bytes),
        // The parent is most likely written by another process, the one that ends the call.
        parent_span_is_remote: span.parent.is_some(),
        span_kind: if span.parent.is_some() { SpanKind::Internal } else { SpanKind::Server },
        name: span.name.into(),
        start_time: time_of(span.from_ms),
        end_time: time_of(span.to_ms),
        attributes: span.fields.into_iter().filter_map(|(name, value)| attribute(name, value)).collect(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: span.failure.map_or(Status::Unset, Status::error),
        instrumentation_scope: InstrumentationScope::builder("ahoy").build(),
    }
}

fn time_of(ms: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(ms)
}

/// Converts a field to an attribute: a text, an integer, a boolean, or a list of integers.
fn attribute(name: String, value: serde_json::Value) -> Option<KeyValue> {
    let value = match value {
        serde_json::Value::Null => return None,
        serde_json::Value::Bool(is_so) => Value::Bool(is_so),
        serde_json::Value::Number(number) => Value::I64(number.as_i64()?),
        serde_json::Value::String(text) => Value::String(text.into()),
        serde_json::Value::Array(items) => {
            Value::Array(Array::I64(items.iter().filter_map(serde_json::Value::as_i64).collect()))
        }
        serde_json::Value::Object(_) => return None,
    };
    Some(KeyValue::new(name, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use call::{Ending, Party};
    use journal::{EntryBuilder, JournalEvent};

    #[test]
    fn fields_become_attributes_of_their_type() {
        let over =
            JournalEvent::Over { status: "FAILED".into(), errors: vec![138_021, 7], talked_s: Some(3) };
        let entry = EntryBuilder::new(&"01".repeat(32).into(), "webhook", None, 0).enter(over, 1_000);

        let data = data(traces::spans_of(&entry).remove(0));

        let attribute = |name: &str| {
            let found = data.attributes.iter().find(|attribute| attribute.key.as_str() == name);
            found.unwrap_or_else(|| panic!("there is no {name}: {data:?}")).value.clone()
        };
        assert_eq!(attribute("event"), Value::from("WA_CALL_OVER"));
        assert_eq!(attribute("errors"), Value::Array(Array::I64(vec![138_021, 7])));
        assert_eq!((attribute("talked_s"), attribute("at_ms")), (Value::I64(3), Value::I64(1_000)));
    }

    #[test]
    fn a_failure_sets_the_status_and_the_call_has_no_parent() {
        let ended = JournalEvent::Ended { ending: Ending::Lost.into(), by: Party::Us.into(), lasted_ms: 0 };
        let entry = EntryBuilder::new(&"01".repeat(32).into(), "call-control", 0, 0).enter(ended, 1_000);

        let data = data(traces::spans_of(&entry).remove(0));

        assert_eq!(data.status, Status::error("lost"));
        assert_eq!((data.parent_span_id, data.span_kind), (SpanId::INVALID, SpanKind::Server));
        assert_eq!(data.end_time.duration_since(data.start_time).unwrap(), Duration::from_secs(1));
    }
}
