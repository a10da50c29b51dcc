//! The settings of the trace exporter, from OpenTelemetry's own environment variables.

use crate::env::{Env, SettingError};
use secrecy::ExposeSecret;
use std::time::Duration;
use url::Url;

/// The only protocol supported.
const PROTOCOL: &str = "http/protobuf";

/// The endpoint of the traces, and the identity of the sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TraceSettings {
    /// `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, or `OTEL_EXPORTER_OTLP_ENDPOINT` with `/v1/traces` after it.
    pub(super) endpoint: Url,
    /// The variable that the endpoint was read from.
    pub(super) endpoint_is_in: &'static str,
    /// `OTEL_EXPORTER_OTLP_TRACES_TIMEOUT` or `OTEL_EXPORTER_OTLP_TIMEOUT`: for one batch, in ms, default 10,000.
    pub(super) timeout: Duration,
    /// `OTEL_SERVICE_NAME`, which overrides the program's name.
    pub(super) service: Option<String>,
    /// The name of the program.
    pub(super) program: &'static str,
    /// `AHOY_STACK`, default `ahoy`.
    pub(super) stack: String,
}

impl TraceSettings {
    /// Reads the settings; `None` where no endpoint is set, or `OTEL_SDK_DISABLED` is `true`.
    pub(super) fn from_env(env: &Env, program: &'static str) -> Result<Option<Self>, SettingError> {
        let is_disabled =
            env.optional("OTEL_SDK_DISABLED").is_some_and(|word| word.eq_ignore_ascii_case("true"));
        let Some((endpoint_is_in, endpoint)) = endpoint(env)?.filter(|_| !is_disabled) else {
            return Ok(None);
        };
        check_protocol(
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
            env.optional("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"),
        )?;
        check_protocol("OTEL_EXPORTER_OTLP_PROTOCOL", env.optional("OTEL_EXPORTER_OTLP_PROTOCOL"))?;
        check_headers("OTEL_EXPORTER_OTLP_TRACES_HEADERS", env.secret("OTEL_EXPORTER_OTLP_TRACES_HEADERS"))?;
        check_headers("OTEL_EXPORTER_OTLP_HEADERS", env.secret("OTEL_EXPORTER_OTLP_HEADERS"))?;
        let for_all = env.parsed("OTEL_EXPORTER_OTLP_TIMEOUT", 10_000)?;
        Ok(Some(Self {
            endpoint,
            endpoint_is_in,
            timeout: Duration::from_millis(env.parsed("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", for_all)?),
            service: env.optional("OTEL_SERVICE_NAME").map(str::to_owned),
            program,
            stack: env.optional("AHOY_STACK").unwrap_or("ahoy").to_owned(),
        }))
    }
}

fn endpoint(env: &Env) -> Result<Option<(&'static str, Url)>, SettingError> {
    let whole = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", env.optional("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"));
    let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", env.optional("OTEL_EXPORTER_OTLP_ENDPOINT"));
    match (whole, base) {
        ((name, Some(whole)), _) => Ok(Some((name, url(name, whole, whole)?))),
        (_, (name, Some(base))) => {
            let whole = format!("{}/v1/traces", base.trim_end_matches('/'));
            Ok(Some((name, url(name, base, &whole)?)))
        }
        ((_, None), (_, None)) => Ok(None),
    }
}

fn url(name: &'static str, value: &str, whole: &str) -> Result<Url, SettingError> {
    let wrong = |reason: String| SettingError::Malformed { name, value: value.to_owned(), reason };
    let url = Url::parse(whole).map_err(|error| wrong(error.to_string()))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => Err(wrong("it begins with neither http:// nor https://".to_owned())),
    }
}

fn check_protocol(name: &'static str, protocol: Option<&str>) -> Result<(), SettingError> {
    match protocol {
        None | Some(PROTOCOL) => Ok(()),
        Some(other) => Err(SettingError::Malformed {
            name,
            value: other.to_owned(),
            reason: format!("traces are sent as {PROTOCOL} only"),
        }),
    }
}

/// Checks a list of headers. The error does not quote it, since headers usually hold API keys.
fn check_headers(name: &'static str, headers: Option<secrecy::SecretString>) -> Result<(), SettingError> {
    let is_header = |pair: &str| pair.split_once('=').is_some_and(|(name, _)| !name.trim().is_empty());
    let headers = headers.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default();
    if headers.split_terminator(',').all(is_header) {
        return Ok(());
    }
    let reason = "it is not a list of name=value".to_owned();
    Err(SettingError::Malformed { name, value: "…".to_owned(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_endpoint_or_disabled_sdk_means_no_traces() {
        let off = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1]:4318"), ("OTEL_SDK_DISABLED", "TRUE")];

        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]), Ok(None));
        assert_eq!(read(&off), Ok(None));
    }

    #[test]
    fn the_traces_path_is_added_to_the_common_endpoint_only() {
        let all = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1]:4318/here/");
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://[::1]/otlp");
        let endpoint = |settings: &[_]| read(settings).unwrap().unwrap().endpoint.to_string();

        assert_eq!(endpoint(&[all]), "http://[::1]:4318/here/v1/traces");
        assert_eq!(endpoint(&[all, traces]), "https://[::1]/otlp");
    }

    #[test]
    fn an_invalid_setting_is_reported_in_one_line() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1]:4318");
        let cases = [
            vec![("OTEL_EXPORTER_OTLP_ENDPOINT", "collector")],
            vec![("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "grpc://[::1]")],
            vec![endpoint, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
            vec![endpoint, ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "soon")],
        ];

        for settings in cases {
            let (name, value) = settings.last().unwrap();
            let wrong = read(&settings).expect_err("it is malformed").to_string();
            assert!(wrong.starts_with(&format!("{name} is {value:?}: ")), "{wrong}");
            assert_eq!(wrong.lines().count(), 1);
        }
    }

    #[test]
    fn malformed_headers_are_reported_without_their_content() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1]:4318");

        let wrong = read(&[endpoint, ("OTEL_EXPORTER_OTLP_HEADERS", "planted key")]).expect_err("no header");

        assert_eq!(wrong.to_string(), r#"OTEL_EXPORTER_OTLP_HEADERS is "…": it is not a list of name=value"#);
    }

    fn read(settings: &[(&str, &str)]) -> Result<Option<TraceSettings>, SettingError> {
        TraceSettings::from_env(&Env::of(settings), "webhook")
    }
}
