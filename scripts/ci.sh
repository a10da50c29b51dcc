#!/usr/bin/env bash
# Makes each target that CI runs, and prints the seconds of each at the end, of a failure too.
set -euo pipefail
cd "$(dirname "$0")/.."
# CI builds from nothing, where incremental compilation only costs time.
export CARGO_INCREMENTAL=0
table=

finish() {
  local status=$?
  printf '\nseconds of each part of make ci\n%s%7d  all\n' "$table" "$SECONDS"
  exit "$status"
}
trap finish EXIT

part() {
  local began=$SECONDS status=0
  make --no-print-directory "$@" || status=$?
  table+=$(printf '%7d  make %s' $((SECONDS - began)) "$*")$'\n'
  [ "$status" = 0 ] || { echo "ci: make $* failed with exit code $status" >&2; exit "$status"; }
}

part check
part check-infra
part test
# README.md shows the newest call, which is not this one.
part call LINE=sip
part call LINE=sip TRANSFER=1
part call
part conformance
part readme
# Forty calls take two minutes, third-party callers two and a half, the peers one, the networks four.
part chaos CALLS=40
part callers
part peers
part sip-lab
part network
