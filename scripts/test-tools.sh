#!/usr/bin/env bash
# Installs what the tests need beside the build: cargo-nextest; libfaketime, which gives hosts wrong clocks; and chromium, which
# opens call reports. espeak-ng, with which simulators speak any text, is installed where root may: no test needs it.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/apt.sh
. scripts/apt.sh

cargo nextest --version >/dev/null 2>&1 || env -u CARGO_TARGET_DIR cargo install --quiet --locked cargo-nextest

faketime() { ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1; }
faketime || apt libfaketime || give_up "libfaketime (on Debian: apt-get install libfaketime)"

command -v espeak-ng >/dev/null || apt espeak-ng || true

command -v chromium >/dev/null || command -v chromium-browser >/dev/null || apt chromium ||
  give_up "chromium (on Debian: apt-get install chromium)"
