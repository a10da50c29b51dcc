//! Scores speech: cuts what was heard to what was said, and asks PESQ, which is a Python program.

use super::figures::{Figures, Row};
use super::libopus_baseline::LibopusBaseline;
use super::scenario::{ScenarioResult, agents_pieces, callers_pieces, part};
use anyhow::{Context, ensure};
use local::root;
use sim_audio::hearing::find;
use sim_audio::{Clip, FRAME, wav};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// How far a piece may be from its place in the whole: filled gaps shift what follows.
const MOVED: usize = 50 * FRAME;

/// Scores all results, and libopus alone.
pub(super) async fn all(results: &[ScenarioResult], baseline: &LibopusBaseline) -> anyhow::Result<Figures> {
    let mut sheet = Sheet::new(root().join("target/network/pieces"))?;
    let (caller, agent) = (callers_pieces(), agents_pieces());
    let baseline = [
        sheet.enter(&caller, &baseline.up)?,
        sheet.enter(&agent, &baseline.down)?,
        sheet.enter(&agent, &baseline.corrected)?,
    ];
    let mut entered = Vec::new();
    for result in results {
        let up = result.scenario.is_said().then(|| sheet.enter(&caller, &result.up)).transpose()?;
        let down = result.scenario.is_replied().then(|| sheet.enter(&agent, &result.down)).transpose()?;
        entered.push((result, up, down));
    }
    let scores = sheet.score().await?;
    let mean = |pieces: &[usize]| pieces.iter().map(|n| scores[*n]).sum::<f64>() / pieces.len() as f64;
    let rows = entered
        .into_iter()
        .map(|(result, up, down)| Row::of(result, up.map(|up| mean(&up)), down.map(|down| mean(&down))));
    let [baseline_up, baseline_down, baseline_corrected] = baseline.map(|pieces| mean(&pieces));
    Ok(Figures { rows: rows.collect(), baseline_up, baseline_down, baseline_corrected })
}

/// Pairs of recordings that are to be scored.
struct Sheet {
    folder: PathBuf,
    pairs: Vec<[PathBuf; 2]>,
}

impl Sheet {
    fn new(folder: PathBuf) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        Ok(Self { folder, pairs: Vec::new() })
    }

    /// Enters a part of the conversation, piece by piece; the numbers of the pieces.
    fn enter<const N: usize>(&mut self, said: &[Clip; N], heard: &[i16]) -> anyhow::Result<Vec<usize>> {
        let whole = find(&part(said).samples, heard).map_or(0, |found| found.at);
        let (mut before, mut entered) = (whole, Vec::new());
        for Clip { samples: piece, .. } in said {
            let from = before.saturating_sub(MOVED).min(heard.len());
            let to = (before + piece.len() + MOVED).min(heard.len());
            let around = &heard[from..to];
            let at = find(piece, around).map_or(0, |found| found.at);
            let mut cut = around[at..around.len().min(at + piece.len())].to_vec();
            cut.resize(piece.len(), 0);
            entered.push(self.pair(piece, &cut)?);
            before += piece.len();
        }
        Ok(entered)
    }

    fn pair(&mut self, said: &[i16], heard: &[i16]) -> anyhow::Result<usize> {
        let n = self.pairs.len();
        let pair = ["said", "heard"].map(|what| self.folder.join(format!("{n:02}-{what}.wav")));
        wav::write(&pair[0], said)?;
        wav::write(&pair[1], heard)?;
        self.pairs.push(pair);
        Ok(n)
    }

    /// The scores of all pairs, by their numbers.
    async fn score(&self) -> anyhow::Result<Vec<f64>> {
        let python = root().join("target/quality/bin/python");
        ensure!(python.exists(), "nothing here can score speech: run scripts/quality-tools.sh");
        let mut pesq = Command::new(python)
            .arg(root().join("scripts/quality.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let line = |[said, heard]: &[PathBuf; 2]| format!("{}\t{}\n", shown(said), shown(heard));
        let lines: String = self.pairs.iter().map(line).collect();
        // All fits into the pipe: some dozen lines.
        let mut input = pesq.stdin.take().context("it was piped")?;
        input.write_all(lines.as_bytes()).await?;
        drop(input);
        let output = pesq.wait_with_output().await?;
        ensure!(output.status.success(), "PESQ could not be run: it ended with {}", output.status);
        let text = String::from_utf8(output.stdout)?;
        let scores: Vec<f64> = text.lines().map(str::parse).collect::<Result<_, _>>()?;
        ensure!(scores.len() == self.pairs.len(), "PESQ scored {} of {}", scores.len(), self.pairs.len());
        Ok(scores)
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
