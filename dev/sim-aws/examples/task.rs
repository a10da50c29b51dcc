//! An ECS task that connects to the test at `REPORT_TO`, sends its settings, and reports SIGTERM.
//!
//! With `STUBBORN` set it does not end when asked to. With `ASK` set it asks DynamoDB for its tables first.

use aws_config::BehaviorVersion;
use std::collections::BTreeMap;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let settings: BTreeMap<String, String> = std::env::vars().collect();
    let mut terminated = signal(SignalKind::terminate())?;
    if settings.contains_key("ASK") {
        let http = aws_smithy_http_client::Builder::new().build_http();
        let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await;
        let asked = aws_sdk_dynamodb::Client::new(&config).list_tables().send().await;
        asked.map_err(std::io::Error::other)?;
    }
    let mut test = TcpStream::connect(&settings["REPORT_TO"]).await?;
    test.write_all(format!("{}\n", serde_json::json!(settings)).as_bytes()).await?;
    terminated.recv().await;
    test.write_all(b"SIGTERM\n").await?;
    if settings.contains_key("STUBBORN") {
        std::future::pending::<()>().await;
    }
    Ok(())
}
