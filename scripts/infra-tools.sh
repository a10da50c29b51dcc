#!/usr/bin/env bash
# Installs what checks the deployment: cfn-lint and SAM (which also deploys it), checkov and moto, each in a Python environment of
# its own, versions pinned.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/apt.sh
. scripts/apt.sh

python3 -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || apt python3-venv ||
  give_up "Python 3.10 or later with venv"

for tool in sam checkov moto; do
  pins=scripts/infra/$tool.txt
  cmp -s "$pins" "target/infra/$tool/installed.txt" && continue
  python3 -m venv --clear "target/infra/$tool"
  "target/infra/$tool/bin/pip" install -q --disable-pip-version-check -r "$pins"
  cp "$pins" "target/infra/$tool/installed.txt"
done
