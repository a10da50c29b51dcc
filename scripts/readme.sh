#!/usr/bin/env bash
# Runs the commands of README.md that no other part of `make ci` runs, unoptimised and at their smallest, and says how long each took.
# Run these by hand, since they build release artefacts: make deploy DRY_RUN=1, make artefacts, make sizes; and all of these for release.
set -euo pipefail
cd "$(dirname "$0")/.."
logs=target/readme
rm -rf "$logs"
mkdir -p "$logs"
export PROFILE=debug
tried=0

# Runs a command: expected exit code, expected output, command.
try() {
  local wanted=$1 words=$2 status=0 log began=$SECONDS
  shift 2
  tried=$((tried + 1))
  log=$logs/$tried.log
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if [ "$status" != "$wanted" ] || ! grep -qF -e "$words" "$log"; then
    tail -n 40 "$log" >&2
    echo "readme: exit code $status and not $wanted, or it does not say \"$words\": $*" >&2
    exit 1
  fi
  printf '  %3d s  %s\n' $((SECONDS - began)) "$*"
}

# Runs the product alone, without a caller: it becomes ready, the line it prints for the ahoy command works, and it stops on SIGINT.
serve() {
  local log=$logs/serve.log line
  META_APP_SECRET=s META_VERIFY_TOKEN=v META_ACCESS_TOKEN=t OPENAI_API_KEY=k AHOY_NUMBERS=1 AHOY_BIND_IP=127.0.0.1 \
    AHOY_LISTEN=127.0.0.1:0 GRAPH_URL=http://127.0.0.1:9 REALTIME_URL=ws://127.0.0.1:9 setsid make serve >"$log" 2>&1 &
  local served=$!
  for _ in $(seq 300); do
    if grep -q '^ready ' "$log" || ! kill -0 "$served" 2>/dev/null; then break; fi
    sleep 0.1
  done
  line=$(sed -n 's/^agents  *//p' "$log")
  local status=0
  bash -c "$line" || status=$?
  kill -INT -- "-$served" 2>/dev/null || status=1
  for _ in $(seq 300); do
    kill -0 -- "-$served" 2>/dev/null || break
    sleep 0.1
  done
  if kill -KILL -- "-$served" 2>/dev/null; then
    echo 'readme: make serve did not stop within 30 s of SIGINT'
    status=1
  fi
  wait "$served" || true
  cat "$log"
  grep -q '^stopping' "$log" && return "$status"
}

# README.md shows the newest call: every make call makes the same one.
call=$(grep -oP '^make ahoy ARGS="show \K[0-9a-f]+' README.md)
try 0 "$call" make ahoy ARGS='calls --limit 1'
try 0 'ended ' make ahoy ARGS="show $call"
try 0 '' make ahoy ARGS="report $call -o $logs/call.html"
try 2 'code 138008' make call FAULT=sdp-refused
try 1 '"ok":' cargo run --bin rehearse -- call --json --fault sdp-refused
try 0 '' cargo run --bin ahoy -- agents check agents/bike-shop.toml
try 0 'No agents yet' serve
try 0 'not judged' make bench-turns CALLS=1 PROFILE=debug
try 0 'not judged' make bench CALLS=1 WINDOWS=1 PROFILE=debug
try 0 'Judged: sockets, files, threads' make soak CALLS=1 PROFILE=debug
