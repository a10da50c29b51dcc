#!/usr/bin/env bash
# Installs the third-party callers: aiortc in target/interop, versions pinned, and Debian's chromium.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/apt.sh
. scripts/apt.sh

# The callers are written for Python 3.10 or later.
python3 -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || apt python3-venv ||
  give_up "Python 3.10 or later with venv"
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || apt chromium ||
  give_up "chromium (on Debian: apt-get install chromium)"

pins=scripts/interop-requirements.txt
cmp -s "$pins" target/interop/installed.txt || {
  python3 -m venv target/interop
  target/interop/bin/pip install -q --disable-pip-version-check -r "$pins"
  cp "$pins" target/interop/installed.txt
}
