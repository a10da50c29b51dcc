#!/usr/bin/env bash
# Checks the release artefacts against their limits: image at most 15 MB, each zip at most 6 MB, a media task ready within 300 ms.
set -euo pipefail
cd "$(dirname "$0")/.."
case "$(uname -m)" in x86_64) host=x86-64 ;; *) host=arm64 ;; esac
missed=0

# A megabyte is a million bytes, as AWS counts.
weigh() {
  local bytes limit=$2 mark=''
  bytes=$(stat -c %s "$1")
  [ "$bytes" -le $((limit * 1000000)) ] || { mark='  MISSED'; missed=1; }
  printf '  %-46s %6d.%d MB   at most %2d MB%s\n' "$1" $((bytes / 1000000)) $((bytes / 100000 % 10)) "$limit" "$mark"
}

for architecture in arm64 x86-64; do
  [ -f "target/ship/$architecture/media-task" ] || { echo "  $architecture was not built"; continue; }
  for name in webhook call-control reaper outbox; do weigh "target/ship/$architecture/$name.zip" 6; done
  scripts/image.sh "$architecture" >/dev/null
  for image in "target/ship/$architecture"/image.*; do weigh "$image" 15; done
done
scripts/unpack.sh "$host" target/ship/stage
"${CARGO_TARGET_DIR:-target}/debug/bench" ready --artefacts target/ship/stage || missed=1
exit "$missed"
