//! Sound as JSON events with base64 in them, and the TLS records around these.

use super::{APPENDED, APPENDS, DELTA, DELTAS, Part, Stopwatch};
use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, Connection, RootCertStore, ServerConfig, ServerConnection};
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::sync::Arc;

const HOST: &str = "model.test";

/// Writes appends and reads deltas.
pub(super) struct Json {
    sound: Vec<i16>,
    deltas: Vec<String>,
}

/// Seals appends and opens deltas.
pub(super) struct Tls {
    client: Connection,
    server: Connection,
    append: String,
    delta: String,
}

#[derive(Serialize)]
struct Append<'a> {
    r#type: &'a str,
    audio: String,
}

#[derive(Serialize, Deserialize)]
struct Delta {
    r#type: String,
    event_id: String,
    response_id: String,
    item_id: String,
    output_index: u32,
    content_index: u32,
    delta: String,
}

impl Json {
    pub(super) fn new() -> Self {
        Self { sound: sim_audio::clips::caller_monologue().samples, deltas: vec![delta(); DELTAS] }
    }
}

impl Part for Json {
    fn second(&mut self, watch: &mut Stopwatch) {
        watch.time(|| {
            self.sound.chunks_exact(APPENDED).take(APPENDS).map(append).map(|text| text.len()).sum::<usize>()
        });
        watch.time(|| self.deltas.iter().map(|delta| read(delta).len()).sum::<usize>());
    }
}

impl Tls {
    pub(super) fn new() -> anyhow::Result<Self> {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed([HOST.to_owned()])?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone())?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)?;
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = ClientConnection::new(Arc::new(client), ServerName::try_from(HOST)?)?;
        let (mut client, mut server) =
            (Connection::from(client), Connection::from(ServerConnection::new(Arc::new(server))?));
        while client.is_handshaking() || server.is_handshaking() {
            take(&mut server, &sent(&mut client));
            take(&mut client, &sent(&mut server));
        }
        Ok(Self { client, server, append: append(&[0; APPENDED]), delta: delta() })
    }
}

impl Part for Tls {
    fn second(&mut self, watch: &mut Stopwatch) {
        for _ in 0..DELTAS {
            self.server.writer().write_all(self.delta.as_bytes()).expect("a connection takes a delta");
            let records = sent(&mut self.server);
            let read = watch.time(|| take(&mut self.client, &records));
            assert_eq!(read, self.delta.len());
        }
        for _ in 0..APPENDS {
            let records = watch.time(|| {
                self.client.writer().write_all(self.append.as_bytes()).expect("a connection takes an append");
                sent(&mut self.client)
            });
            take(&mut self.server, &records);
        }
    }
}

fn sent(connection: &mut Connection) -> Vec<u8> {
    let mut records = vec![];
    while connection.wants_write() {
        connection.write_tls(&mut records).expect("a vector takes everything");
    }
    records
}

/// Feeds records to a connection, and reads their plaintext.
fn take(connection: &mut Connection, mut records: &[u8]) -> usize {
    let mut read = 0;
    let mut room = [0; 16 * 1_024];
    while !records.is_empty() {
        connection.read_tls(&mut records).expect("a slice can be read");
        connection.process_new_packets().expect("both sides are ours");
        while let Ok(count @ 1..) = connection.reader().read(&mut room) {
            read += count;
        }
    }
    read
}

fn append(samples: &[i16]) -> String {
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let append = Append { r#type: "input_audio_buffer.append", audio: STANDARD.encode(bytes) };
    serde_json::to_string(&append).expect("an append has text keys")
}

fn delta() -> String {
    let sound: Vec<u8> = (0..DELTA).map(|n| (n * 37 % 251) as u8).collect();
    let delta = Delta {
        r#type: "response.output_audio.delta".to_owned(),
        event_id: "event_of_the_bench_0001".to_owned(),
        response_id: "resp_of_the_bench_00001".to_owned(),
        item_id: "item_of_the_bench_00001".to_owned(),
        output_index: 0,
        content_index: 0,
        delta: STANDARD.encode(sound),
    };
    serde_json::to_string(&delta).expect("a delta has text keys")
}

fn read(delta: &str) -> Vec<i16> {
    let delta: Delta = serde_json::from_str(delta).expect("we wrote it");
    let bytes = STANDARD.decode(delta.delta).expect("we encoded it");
    bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}
