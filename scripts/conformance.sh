#!/usr/bin/env bash
# Holds a rehearsed session with the model to OpenAI's own types, both directions, by the validator that was generated
# from them (fixtures/realtime-schema).
set -euo pipefail
cd "$(dirname "$0")/.."
python=target/conformance/bin/python
command -v python3 >/dev/null && python3 -c 'import ensurepip' 2>/dev/null ||
  { command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null; } ||
  { echo "ahoy: please install Python 3 with venv" >&2; exit 1; }
[ -x "$python" ] && "$python" -c 'import openai' 2>/dev/null ||
  { python3 -m venv target/conformance && target/conformance/bin/pip install -q openai==3.54.0; }
recording=target/rehearsal/realtime.jsonl
[ -s "$recording" ] || { echo "conformance: no recording; run make call first" >&2; exit 1; }
"$python" fixtures/realtime-schema/validate_realtime.py < "$recording"
