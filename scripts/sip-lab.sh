#!/usr/bin/env bash
# Runs the edge of docs/sip.md between a carrier and a stand-in for OpenAI, in a network namespace with nothing but loopback:
# no packet can leave, every port is free, and the name of OpenAI's host is ours to answer for.
set -euo pipefail
export PYTHONDONTWRITEBYTECODE=1
cd "$(dirname "$0")/.."
rm -rf target/sip-lab
mkdir -p target/sip-lab
[ "$(id -u)" = 0 ] || alone=--map-root-user
unshare --net --mount ${alone:-} -- true 2>/dev/null || {
  echo "make sip-lab: this machine lets $(id -un) have no network namespace; allow unprivileged user namespaces, or run it as root." >&2
  exit 64
}
exec unshare --net --mount ${alone:-} -- python3 scripts/sip-lab/run.py "$@"
