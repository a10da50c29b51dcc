#!/usr/bin/env bash
# Unpacks the release artefacts of an architecture into a folder, each program under its name: scripts/unpack.sh x86-64 target/ship/stage
set -euo pipefail
cd "$(dirname "$0")/.."
architecture=$1 folder=$2
rm -rf "$folder"
mkdir -p "$folder"
for name in webhook call-control reaper outbox; do
  [ -f "target/ship/$architecture/$name.zip" ] || { echo "ahoy: there is no $name.zip for $architecture: make release" >&2; exit 1; }
  python3 -m zipfile -e "target/ship/$architecture/$name.zip" "$folder"
  mv "$folder/bootstrap" "$folder/$name"
  chmod +x "$folder/$name"
done
cp "target/ship/$architecture/media-task" "$folder/media-task"
