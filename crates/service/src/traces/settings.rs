//! Where traces go, as OpenTelemetry has it in every program: the variables are its own.

use crate::env::{Env, SettingError};
use secrecy::ExposeSecret;
use std::time::Duration;
use url::Url;

/// The one protocol spoken here.
const PROTOCOL: &str = "http/protobuf";

/// Where traces go, and from whom they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TraceSettings {
    /// `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, or `OTEL_EXPORTER_OTLP_ENDPOINT` with `/v1/traces` after it.
    pub(super) endpoint: Url,
    /// The variable that it was in.
    pub(super) endpoint_is_in: &'static str,
    /// `OTEL_EXPORTER_OTLP_TRACES_TIMEOUT` or `OTEL_EXPORTER_OTLP_TIMEOUT`: for one batch, in ms, default 10,000.
    pub(super) timeout: Duration,
    /// `OTEL_SERVICE_NAME`, if somebody wants another one than the program's.
    pub(super) service: Option<String>,
    /// The program's name.
    pub(super) program: &'static str,
    /// `AHOY_STACK`, default `ahoy`.
    pub(super) stack: String,
}

impl TraceSettings {
    /// Reads them; `None` where no endpoint is set, or `OTEL_SDK_DISABLED` is `true`.
    pub(super) fn from_env(env: &Env, program: &'static str) -> Result<Option<Self>, SettingError> {
        let is_disabled =
            env.optional("OTEL_SDK_DISABLED").is_some_and(|word| word.eq_ignore_ascii_case("true"));
        let Some((endpoint_is_in, endpoint)) = endpoint(env)?.filter(|_| !is_disabled) else {
            return Ok(None);
        };
        speaks_ours(
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
            env.optional("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"),
        )?;
        speaks_ours("OTEL_EXPORTER_OTLP_PROTOCOL", env.optional("OTEL_EXPORTER_OTLP_PROTOCOL"))?;
        are_headers("OTEL_EXPORTER_OTLP_TRACES_HEADERS", env.secret("OTEL_EXPORTER_OTLP_TRACES_HEADERS"))?;
        are_headers("OTEL_EXPORTER_OTLP_HEADERS", env.secret("OTEL_EXPORTER_OTLP_HEADERS"))?;
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

fn speaks_ours(name: &'static str, protocol: Option<&str>) -> Result<(), SettingError> {
    match protocol {
        None | Some(PROTOCOL) => Ok(()),
        Some(other) => Err(SettingError::Malformed {
            name,
            value: other.to_owned(),
            reason: format!("traces are sent as {PROTOCOL} only"),
        }),
    }
}

/// Keys are in headers as a rule: what is wrong with them is told without them.
fn are_headers(name: &'static str, headers: Option<secrecy::SecretString>) -> Result<(), SettingError> {
    let is_header = |pair: &str| pair.split_once('=').is_some_and(|(name, _)| !name.trim().is_empty());
    let headers = headers.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default();
    if headers.split_terminator(',').all(is_header) {
        return Ok(());
    }
    let reason = "it is no list of name=value".to_owned();
    Err(SettingError::Malformed { name, value: "…".to_owned(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_endpoint_or_when_switched_off_there_are_no_traces() {
        let off = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1]:4318"), ("OTEL_SDK_DISABLED", "TRUE")];

        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]), Ok(None));
        assert_eq!(read(&off), Ok(None));
    }

    #[test]
    fn an_endpoint_for_all_gets_the_path_of_traces_and_one_for_traces_is_taken_as_it_is() {
        let all = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1]:4318/here/");
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://[::1]/otlp");
        let endpoint = |settings: &[_]| read(settings).unwrap().unwrap().endpoint.to_string();

        assert_eq!(endpoint(&[all]), "http://[::1]:4318/here/v1/traces");
        assert_eq!(endpoint(&[all, traces]), "https://[::1]/otlp");
    }

    #[test]
    fn what_is_wrong_is_told_in_one_line_with_its_variable() {
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
    fn headers_that_are_none_are_told_without_the_key_that_may_be_in_them() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1]:4318");

        let wrong = read(&[endpoint, ("OTEL_EXPORTER_OTLP_HEADERS", "planted key")]).expect_err("no header");

        assert_eq!(wrong.to_string(), r#"OTEL_EXPORTER_OTLP_HEADERS is "…": it is no list of name=value"#);
    }

    fn read(settings: &[(&str, &str)]) -> Result<Option<TraceSettings>, SettingError> {
        TraceSettings::from_env(&Env::of(settings), "webhook")
    }
}
