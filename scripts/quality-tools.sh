#!/usr/bin/env bash
# Installs what scores speech: PESQ, in a Python environment of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/apt.sh
. scripts/apt.sh
python=target/quality/bin/python
"$python" -c 'import pesq' 2>/dev/null && exit 0
command -v python3 >/dev/null && python3 -c 'import ensurepip' 2>/dev/null &&
  python3 -c 'import os, sysconfig; assert os.path.exists(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null ||
  apt python3-venv python3-dev || give_up "Python 3 with venv and headers"
python3 -m venv target/quality
target/quality/bin/pip install -q numpy==2.4.6 pesq==0.0.4
