#!/usr/bin/env bash
# Installs what the build needs beside Rust: a C compiler and cmake, for libopus and aws-lc.
# From apt when root on Debian, else cmake from PyPI into target/tools, else one line saying what to install.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/apt.sh
. scripts/apt.sh
export PATH="$PWD/target/tools/bin:$PATH"

have() { command -v "$1" >/dev/null 2>&1; }

# Media tasks and simulators use features that only Linux has: /proc, network namespaces, abstract sockets.
[ "$(uname -s)" = Linux ] || { echo "ahoy: this runs on Linux only, and here is $(uname -s): on macOS, take a Linux container or virtual machine" >&2; exit 1; }
have cargo || give_up "Rust, from https://rustup.rs"
have cc || apt gcc libc6-dev || give_up "a C compiler (on Debian: apt-get install build-essential)"
have cmake || apt cmake make ||
  { have python3 && python3 -m venv target/tools && target/tools/bin/pip install -q 'cmake>=3.16'; } ||
  give_up "cmake 3.16 or later"
