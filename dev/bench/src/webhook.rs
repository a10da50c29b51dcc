//! The latency of the webhook, and of decisions on the SIP line: real function processes, real requests, one at a time.

mod decisions;

use super::figure::{Figure, Table, WIDTH};
use anyhow::{Context, ensure};
use harness::raw_webhook::{self, RawWebhook};
use harness::{Testbed, TestbedConfig};
use local::{Binaries, root};
use report::Machine;
use serde_json::{Value, json};
use sim_meta::MetaConfig;
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};
use store::call_ref;

/// The number of requests of each kind.
const REQUESTS: usize = 30;

const STARTS: usize = 10;

/// The most updates Meta puts into one request.
const BATCH: usize = 1_000;

/// How long a call may take to end when no caller joins it.
const OVER_WITHIN: Duration = Duration::from_secs(10);

/// All figures of the webhook.
#[derive(Debug, Clone)]
pub struct WebhookBench {
    figures: Vec<Figure>,
    peak_kib: u64,
}

/// The function's memory in Lambda, KiB.
const MEMORY_KIB: u64 = 512 * 1024;

impl WebhookBench {
    /// Measures.
    pub async fn run(binaries: &Binaries) -> anyhow::Result<Self> {
        let config = TestbedConfig::rehearsal(root().join("target/bench-webhook"));
        let testbed = Testbed::start(config, binaries).await?;
        let bench = measure(&testbed).await;
        testbed.stop().await;
        let mut bench = bench?;
        bench.figures.extend(decisions::measure(binaries).await?);
        Ok(bench)
    }

    /// Writes the page `webhook.md` into a folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let mut table = report::Table::new(&["", "median", "worst", "at most"]);
        self.figures.iter().for_each(|figure| table.push(figure.row()));
        let text = format!(
            "# How fast the webhook is\n\n\
             One request at a time, with DynamoDB and Lambda simulated on the same machine; cold: the functions' processes start with it. \
             A limit is for the median, or where it says so for each. {}. `make bench-webhook` makes this page.\n\n{}",
            Machine::here(),
            table.markdown()
        );
        std::fs::create_dir_all(folder)?;
        Ok(std::fs::write(folder.join("webhook.md"), text)?)
    }

    /// Whether every figure is within its limit.
    pub fn holds(&self) -> bool {
        self.figures.iter().all(Figure::holds) && self.peak_kib <= MEMORY_KIB
    }
}

async fn measure(testbed: &Testbed) -> anyhow::Result<WebhookBench> {
    let poster = Poster::new(testbed);
    poster.post(&connect("warm"), true).await?;
    let mut connects = vec![];
    for n in 0..REQUESTS {
        let id = format!("wacid.connect{n}");
        connects.push(poster.post(&connect(&id), true).await?);
        // The next one should find the functions idle.
        testbed.calls.call_until(&call_ref(&id), OVER_WITHIN, |record| record.call.has_ended()).await?;
    }
    let mut repeats = vec![];
    let mut forged = vec![];
    for _ in 0..REQUESTS {
        repeats.push(poster.post(&connect("wacid.connect0"), true).await?);
        forged.push(poster.post(&connect("wacid.forged"), false).await?);
    }
    let batch = poster.post(&batch(), true).await?;
    let peak_kib = peak_kib(testbed)?;
    let mut colds = vec![];
    for n in 0..STARTS {
        testbed.stack.cloud.kill_function("webhook").await?;
        colds.push(poster.post(&connect(&format!("wacid.cold{n}")), true).await?);
    }
    let figures = vec![
        Figure::of("connect posted → 200, warm", connects, Duration::from_millis(20)),
        Figure::of("the same connect again → 200, warm", repeats, Duration::from_millis(20)),
        Figure::of("wrong signature posted → 401, warm", forged, Duration::from_millis(2)),
        Figure::of("connect posted → 200, cold", colds, Duration::from_millis(150)),
        Figure::of("1,000 updates posted → 200, warm", vec![batch], Duration::from_millis(5_000)),
    ];
    Ok(WebhookBench { figures, peak_kib })
}

struct Poster {
    http: reqwest::Client,
    url: String,
}

impl Poster {
    fn new(testbed: &Testbed) -> Self {
        let url = format!("{}webhook", testbed.stack.cloud.function_url("webhook"));
        Self { http: raw_webhook::client(), url }
    }

    /// Posts, and says how long the answer took.
    async fn post(&self, body: &Value, is_signed: bool) -> anyhow::Result<Duration> {
        let webhook = RawWebhook::signed(body.to_string());
        let webhook = if is_signed { webhook } else { webhook.forged() };
        let request = webhook.request(&self.http, &self.url);
        let posted_at = Instant::now();
        let status = request.send().await?.status();
        let took = posted_at.elapsed();
        ensure!(status == if is_signed { 200 } else { 401 }, "the webhook answered {status}");
        Ok(took)
    }
}

fn connect(id: &str) -> Value {
    let offer = json!({"sdp_type": "offer", "sdp": "v=0\r\n"});
    envelope(vec![json!({"id": id, "event": "connect", "from_user_id": "IN.1", "session": offer})])
}

/// A thousand different calls, over before they began.
fn batch() -> Value {
    let call = |n| json!({"id": format!("wacid.batch{n}"), "event": "terminate", "status": "COMPLETED"});
    envelope((0..BATCH).map(call).collect())
}

fn envelope(calls: Vec<Value>) -> Value {
    let number = MetaConfig::default().phone_number_id;
    json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "calls", "value": {
        "messaging_product": "whatsapp", "metadata": {"phone_number_id": number}, "calls": calls}}]}]})
}

/// The most memory the webhook's process ever had.
fn peak_kib(testbed: &Testbed) -> anyhow::Result<u64> {
    let pid = *testbed.stack.cloud.function_pids("webhook").first().context("the webhook has no process")?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next());
    peak.and_then(|kib| kib.parse().ok()).context("the kernel does not say how much memory the webhook had")
}

impl fmt::Display for WebhookBench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Table(&self.figures))?;
        let mib = |kib: u64| format!("{:.0} MiB", kib as f64 / 1_024.0);
        let (peak, limit) = (mib(self.peak_kib), mib(MEMORY_KIB));
        writeln!(f, "  {:<WIDTH$} {peak:>10} {:>10} {limit:>10}", "memory, at its peak", "")
    }
}
