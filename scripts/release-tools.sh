#!/usr/bin/env bash
# Installs what release builds need: cargo-lambda and zig in a Python environment of their own, and for arm64, where apt has them,
# Rust's library, a cross compiler and an emulator. Without these x86-64 is built, and scripts/release.sh says so.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/apt.sh
. scripts/apt.sh

if ! target/lambda-tools/bin/python -c 'import ziglang' 2>/dev/null || [ ! -x target/lambda-tools/bin/cargo-lambda ]; then
  python3 -c 'import ensurepip' 2>/dev/null || apt python3-venv || give_up "Python 3 with venv"
  python3 -m venv target/lambda-tools
  target/lambda-tools/bin/pip install -q --disable-pip-version-check cargo-lambda==1.9.2 ziglang==0.17.1
fi

[ "$(uname -m)" = x86_64 ] || exit 0
command -v aarch64-linux-gnu-g++ >/dev/null && command -v qemu-aarch64-static >/dev/null ||
  apt gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static || true
[ -d "$(rustc --print target-libdir --target aarch64-unknown-linux-gnu 2>/dev/null)" ] ||
  { command -v rustup >/dev/null && timeout 60 rustup target add aarch64-unknown-linux-gnu >/dev/null 2>&1; } || true
