#!/usr/bin/env bash
# Sees to what the tests need beside the build: cargo-nextest.
set -euo pipefail
cargo nextest --version >/dev/null 2>&1 || cargo install --quiet --locked cargo-nextest
