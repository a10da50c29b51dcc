#!/usr/bin/env bash
# Checks every model session that the last rehearsal and the last stories recorded against OpenAI's own types, in both
# directions and in their order (fixtures/realtime-schema).
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/apt.sh
. scripts/apt.sh
python=target/conformance/bin/python
command -v python3 >/dev/null && python3 -c 'import ensurepip' 2>/dev/null || apt python3-venv || give_up "Python 3 with venv"
[ -x "$python" ] && "$python" -c 'import openai, jsonschema' 2>/dev/null ||
  { python3 -m venv target/conformance && target/conformance/bin/pip install -q openai==3.54.0 jsonschema==4.26.0; }
exec "$python" scripts/conformance.py target/rehearsal target/stories
