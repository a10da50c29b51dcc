#!/usr/bin/env bash
# Builds the release artefacts into target/ship/<architecture>: the four functions as zips, and the media task as one static file.
#  - arm64, which the template asks for, where Rust's library for it and a cross compiler are installed; a warning where not
#  - this machine's own architecture, which make artefacts and make sizes can run
# FEATURES=otlp builds traces in (docs/traces.md); otherwise there are none.
# target/ship/architecture names the one that make image and make deploy take.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/target/lambda-tools/bin:$PATH"

functions=(webhook call-control reaper outbox)
features=(${FEATURES:+--features "$FEATURES"})
case "$(uname -m)" in
  x86_64) host=x86-64 ;;
  aarch64 | arm64) host=arm64 ;;
  *) echo "ahoy: neither x86-64 nor arm64: $(uname -m)" >&2; exit 1 ;;
esac

triple() { if [ "$1" = arm64 ]; then echo aarch64-unknown-linux-gnu; else echo x86_64-unknown-linux-gnu; fi; }
has_library() { [ -d "$(rustc --print target-libdir --target "$(triple "$1")" 2>/dev/null)" ]; }
loudly() { printf '\n*** %s\n\n' "$*" >&2; }

# Zig links against a glibc as old as Lambda's. The profile is our own (Cargo.toml): cargo-lambda's aborts on panic, where the
# tested programs unwind.
build_functions() {
  local selected=()
  for name in "${functions[@]}"; do selected+=(-p "$name"); done
  CARGO_TARGET_DIR=$PWD/target/functions cargo lambda build --profile function --locked --disable-optimizations \
    "--$1" --skip-target-check --output-format zip --lambda-dir "target/ship/$1/functions" "${selected[@]}" "${features[@]}"
  for name in "${functions[@]}"; do mv -f "target/ship/$1/functions/$name/bootstrap.zip" "target/ship/$1/$name.zip"; done
  rm -rf "target/ship/$1/functions"
}

# glibc, linked in: the image holds nothing else.
build_media_task() {
  local flags=(-C target-feature=+crt-static)
  if [ "$1" = "$host" ]; then
    cargo rustc --profile shipped --locked -p media-task --bin media-task "${features[@]}" -- "${flags[@]}"
    cp -f "${CARGO_TARGET_DIR:-target}/shipped/media-task" "target/ship/$1/media-task"
  else
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
    CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc CXX_aarch64_unknown_linux_gnu=aarch64-linux-gnu-g++ \
    AR_aarch64_unknown_linux_gnu=aarch64-linux-gnu-ar \
      cargo rustc --profile shipped --locked -p media-task --bin media-task --target "$(triple "$1")" \
        --target-dir target/cross "${features[@]}" -- "${flags[@]}"
    cp -f "target/cross/$(triple "$1")/shipped/media-task" "target/ship/$1/media-task"
  fi
}

build() {
  mkdir -p "target/ship/$1"
  build_functions "$1"
  build_media_task "$1"
}

# Without settings each program names the missing one in one line and exits with 64: by then its libraries, its clock and its
# runtime have started on that processor.
smoke() {
  local emulator=() program folder
  [ "$1" = "$host" ] || emulator=(qemu-aarch64-static -L /usr/aarch64-linux-gnu)
  folder=$(mktemp -d)
  for name in "${functions[@]}" media-task; do
    program="target/ship/$1/media-task"
    if [ "$name" != media-task ]; then
      python3 -m zipfile -e "target/ship/$1/$name.zip" "$folder"
      program="$folder/bootstrap"
      chmod +x "$program"
    fi
    local status=0 said
    said=$(env -i "${emulator[@]}" "$program" 2>&1) || status=$?
    if [ "$status" != 64 ]; then
      echo "ahoy: $name for $1 does not start (exit code $status): $said" >&2
      exit 1
    fi
  done
  rm -rf "$folder"
  echo "All five programs start on $1$([ "$1" = "$host" ] || echo ', emulated by qemu')."
}

scripts/release-tools.sh
build "$host"
smoke "$host"
shipped=$host
if [ "$host" != arm64 ]; then
  if ! has_library arm64; then
    loudly "Rust's library for arm64 is not installed: only $host is built. rustup target add $(triple arm64)"
  elif ! command -v aarch64-linux-gnu-gcc >/dev/null; then
    loudly "There is no cross compiler for arm64: only $host is built. apt-get install gcc-aarch64-linux-gnu g++-aarch64-linux-gnu"
  else
    build arm64
    shipped=arm64
    if command -v qemu-aarch64-static >/dev/null && [ -d /usr/aarch64-linux-gnu ]; then smoke arm64
    else loudly "qemu-user-static is not installed: the arm64 programs were not started"; fi
  fi
fi
echo "$shipped" > target/ship/architecture
echo "To be shipped: target/ship/$shipped"
