//! A task on strings: calls the test at `REPORT_TO`, tells its settings, and tells when it is asked to end.
//!
//! With `STUBBORN` set it does not end when asked to.

use std::collections::BTreeMap;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let settings: BTreeMap<String, String> = std::env::vars().collect();
    let mut terminated = signal(SignalKind::terminate())?;
    let mut test = TcpStream::connect(&settings["REPORT_TO"]).await?;
    test.write_all(format!("{}\n", serde_json::json!(settings)).as_bytes()).await?;
    terminated.recv().await;
    test.write_all(b"SIGTERM\n").await?;
    if settings.contains_key("STUBBORN") {
        std::future::pending::<()>().await;
    }
    Ok(())
}
