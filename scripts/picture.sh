#!/usr/bin/env bash
# Draws docs/report.png: the report of the last call that `make call` left, as headless Chromium shows it.
set -euo pipefail
cd "$(dirname "$0")/.."

ahoy() { "${CARGO_TARGET_DIR:-target}/debug/rehearse" ahoy -- "$@"; }

call=$(ahoy calls --limit 1 --json | sed -n 's/.*"call_ref": "\([0-9a-f]*\)".*/\1/p')
ahoy report "$call" -o target/rehearsal/call.html
python3 dev/suites/callers/look.py target/rehearsal/call.html target/rehearsal >target/rehearsal/look.json
cp target/rehearsal/wide-light.png docs/report.png
