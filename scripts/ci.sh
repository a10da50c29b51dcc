#!/usr/bin/env bash
# Makes each target that CI runs, and prints the seconds of each at the end, of a failure too.
set -euo pipefail
cd "$(dirname "$0")/.."
# CI builds from nothing, where incremental compilation only costs time.
export CARGO_INCREMENTAL=0
table=
# The process group of what runs beside the tests.
beside=

finish() {
  local status=$?
  [ -z "$beside" ] || kill -- "-$beside" 2>/dev/null || true
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

part style
part check-infra
part test-programs
# Tests wait more than they work, so make check gets the processor's time that they leave. It begins with the first story: before, cargo
# would let only one of them build.
check_beside_the_stories() {
  until [ -d target/stories ]; do sleep 1; done
  chrt --idle 0 make --no-print-directory check
}
rm -rf target/stories
set -m
check_beside_the_stories >target/check.log 2>&1 &
beside=$!
set +m
part test
began=$SECONDS
wait "$beside" || { cat target/check.log; echo "ci: make check failed" >&2; exit 1; }
beside=
table+=$(printf '%7d  make check, after it ran beside make test' $((SECONDS - began)))$'\n'
# README.md shows the newest call, which is not this one.
part call LINE=sip
part call LINE=sip TRANSFER=1
part call
part conformance
part readme
# Forty calls take two minutes, third-party callers two and a half, the peers one, the networks three.
part chaos CALLS=40
part callers
part peers
part sip-lab
part network
