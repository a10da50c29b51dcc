//! The product's programs: built first, then found beside this one.

use anyhow::{Context, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tokio::process::Command;

const PROGRAMS: [&str; 5] = ["webhook", "call-control", "reaper", "outbox", "media-task"];

/// Where the product's programs are.
#[derive(Debug, Clone)]
pub struct Binaries {
    folder: PathBuf,
    replaced: BTreeMap<&'static str, PathBuf>,
}

impl Binaries {
    /// Builds the workspace's programs, if cargo started us, and finds them beside this one.
    ///
    /// # Errors
    /// When they cannot be built or found.
    pub async fn build() -> anyhow::Result<Self> {
        let folder = beside_us()?;
        if let Ok(cargo) = std::env::var("CARGO") {
            build(&cargo, &folder).await?;
        }
        Self::built()
    }

    /// Finds the workspace's programs beside this one, for those who have had them built.
    ///
    /// # Errors
    /// When one is not there.
    pub fn built() -> anyhow::Result<Self> {
        Self::in_folder(beside_us()?).context("cargo build --workspace --bins makes them")
    }

    /// Finds the programs in a folder of their own: those that are shipped, say.
    ///
    /// # Errors
    /// When one is not there.
    pub fn in_folder(folder: PathBuf) -> anyhow::Result<Self> {
        let binaries = Self { folder, replaced: BTreeMap::new() };
        for name in PROGRAMS {
            if !binaries.path(name).exists() {
                bail!("there is no program {name} in {}", binaries.folder.display());
            }
        }
        Ok(binaries)
    }

    /// The path of a program.
    pub fn path(&self, name: &str) -> PathBuf {
        self.replaced.get(name).cloned().unwrap_or_else(|| self.folder.join(name))
    }

    /// With another program in place of one of them.
    #[must_use]
    pub fn replacing(mut self, name: &'static str, path: PathBuf) -> Self {
        self.replaced.insert(name, path);
        self
    }
}

/// The folder of this executable; a test's is one further down.
fn beside_us() -> anyhow::Result<PathBuf> {
    let us = std::env::current_exe().context("cannot find this program")?;
    let folder = us.parent().context("this program is nowhere")?;
    let is_test = folder.file_name().is_some_and(|name| name == "deps");
    Ok(if is_test { folder.parent().unwrap_or(folder) } else { folder }.to_owned())
}

/// Builds what is run beside this program: `cargo run --bin rehearse` builds this one alone.
async fn build(cargo: &str, folder: &Path) -> anyhow::Result<()> {
    let profile = folder.file_name().and_then(|name| name.to_str()).unwrap_or("debug");
    let status = Command::new(cargo).args(arguments(profile)).current_dir(root()).status().await;
    if !status.context("cannot run cargo")?.success() {
        bail!("cargo build failed: {}", arguments(profile).join(" "));
    }
    Ok(())
}

/// Cargo's arguments. This program is not among what is built: with other features than it was started with, cargo would
/// replace its file while it runs.
fn arguments(profile: &str) -> Vec<&str> {
    let mut arguments = vec!["build", "--locked"];
    arguments.extend(PROGRAMS.iter().chain(&["ahoy"]).flat_map(|name| ["--bin", name]));
    if profile != "debug" {
        arguments.extend(["--profile", profile]);
    }
    arguments
}

/// The workspace's folder.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_program_is_never_built_anew() {
        for profile in ["debug", "release"] {
            let arguments = arguments(profile);

            assert!(!arguments.contains(&"--bins") && !arguments.contains(&"rehearse"), "{arguments:?}");
            assert!(PROGRAMS.iter().all(|name| arguments.contains(name)), "{arguments:?}");
        }
        assert_eq!(arguments("release")[14..], ["--profile", "release"]);
    }

    #[test]
    fn a_folder_that_lacks_a_program_is_refused_by_the_programs_name() {
        let folder = root().join("target").join(format!("artefacts-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["webhook", "call-control", "reaper", "outbox"] {
            std::fs::write(folder.join(name), "").unwrap();
        }

        let refused = Binaries::in_folder(folder.clone()).expect_err("the media task is missing");
        std::fs::remove_dir_all(folder).unwrap();

        assert!(refused.to_string().starts_with("there is no program media-task in "), "{refused}");
    }
}
