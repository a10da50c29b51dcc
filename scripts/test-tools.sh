#!/usr/bin/env bash
# Sees to what the tests need beside the build: cargo-nextest, and libfaketime, with which hosts have wrong clocks.
set -euo pipefail
cargo nextest --version >/dev/null 2>&1 || cargo install --quiet --locked cargo-nextest

faketime() { ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1; }
faketime || { command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] && apt-get update -qq &&
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq libfaketime >/dev/null; } ||
  { echo "ahoy: please install libfaketime (on Debian: apt-get install libfaketime)" >&2; exit 1; }
