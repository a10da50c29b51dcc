#!/usr/bin/env bash
# Sees to what the tests need beside the build: cargo-nextest, libfaketime, with which hosts have
# wrong clocks, and chromium, which looks at reports.
set -euo pipefail
cargo nextest --version >/dev/null 2>&1 || cargo install --quiet --locked cargo-nextest

faketime() { ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1; }
faketime || { command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] && apt-get update -qq &&
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq libfaketime >/dev/null; } ||
  { echo "ahoy: please install libfaketime (on Debian: apt-get install libfaketime)" >&2; exit 1; }

command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { [ "$(id -u)" = 0 ] && apt-get update -qq &&
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } ||
  { echo "ahoy: please install chromium (on Debian: apt-get install chromium)" >&2; exit 1; }
