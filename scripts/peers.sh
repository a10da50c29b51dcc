#!/usr/bin/env bash
# Runs third-party clients against the simulators, in a network namespace with nothing but loopback: what they would send or
# fetch elsewhere (tracing, STUN, models) cannot leave. Arguments: pipecat, openai, telephone, agents, agents-telephone,
# livekit, boto3; all of them without.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || alone=--map-root-user
unshare --net ${alone:-} -- true 2>/dev/null || {
  echo "make peers: this machine lets $(id -un) have no network namespace; allow unprivileged user namespaces, or run it as root." >&2
  exit 1
}
exec unshare --net ${alone:-} -- sh -c 'ip link set lo up && exec target/peers/bin/python scripts/peers/run.py "$@"' peers "$@"
