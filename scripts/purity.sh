#!/usr/bin/env bash
# What the architecture forbids, checked:
#  - a second crypto provider: rustls would no longer know which one is meant, and panic at the first wss://
#  - a runtime, a socket or randomness in the crates that decide
#  - the product importing a simulator, or a simulator the product's reading of its vendor
set -euo pipefail
cd "$(dirname "$0")/.."

tree() { cargo tree --locked --offline --prefix none --format '{p}' "$@" 2>/dev/null | cut -d' ' -f1 | sort -u; }
fail() { echo "purity: $1" >&2; exit 1; }

# Were cargo tree broken, every question below would be answered no.
tree -p call -e normal | grep -qx serde || fail "cargo tree does not answer"

[ -z "$(tree --workspace -e normal,build -i ring)" ] || fail "ring is a second crypto provider: cargo tree -i ring"

for core in call audio media-diagnosis; do
  for banned in tokio mio rand getrandom; do
    tree -p "$core" -e normal | grep -qx "$banned" && fail "$core decides, and must not depend on $banned"
  done
done

for product in webhook call-control reaper media-task ahoy; do
  for simulator in sim-aws sim-meta sim-openai sim-audio sim-network rehearse; do
    tree -p "$product" -e normal | grep -qx "$simulator" && fail "$product must not depend on $simulator"
  done
done
# Traces are for those who ask for them: docs/traces.md
for shipped in webhook call-control reaper media-task; do
  tree -p "$shipped" -e normal | grep -q '^opentelemetry' && fail "$shipped must be without traces, unless somebody builds them in"
done
tree -p webhook --features otlp -e normal | grep -qx opentelemetry-otlp || fail "there are no traces to be built in"

for simulator in sim-meta sim-openai sim-aws; do
  for words in whatsapp realtime internal-api store; do
    tree -p "$simulator" -e normal,dev | grep -qx "$words" && fail "$simulator must not read with our own $words"
  done
done

# Proof by compilation, where the target is at hand: there is no clock and no socket on it.
if [ -d "$(rustc --print target-libdir --target wasm32-unknown-unknown 2>/dev/null)" ]; then
  cargo check --quiet --locked --offline -p call -p audio -p media-diagnosis --target wasm32-unknown-unknown
else
  echo "purity: the target wasm32-unknown-unknown is not installed; call, audio and media-diagnosis were not compiled for it"
fi
