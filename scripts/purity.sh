#!/usr/bin/env bash
# Checks what the architecture forbids:
#  - a second crypto provider: rustls would no longer know which one is meant, and panic at the first wss://
#  - a runtime, a socket or randomness in the sans-IO crates
#  - a request to the table outside crates/store
#  - the product importing a simulator or the harness, `make serve` importing the harness, or a simulator importing the product's reading of its vendor
set -euo pipefail
cd "$(dirname "$0")/.."

sans_io=(call audio media-diagnosis)
shipped=(webhook call-control reaper outbox media-task)
programs=("${shipped[@]}" ahoy)
simulators=(sim-meta sim-openai sim-business sim-aws)
not_shipped=("${simulators[@]}" sim-audio sim-network local harness suites bench rehearse)
vendor_words=(whatsapp realtime openai-calls openai-responses operator-http internal-api store)
impure=(tokio mio rand getrandom)

fail() { echo "purity: $1" >&2; exit 1; }
tree() { cargo tree --locked --offline --prefix none --format '{p}' "$@" 2>/dev/null | cut -d' ' -f1 | sort -u; }

# A name that no package has would make every question below pass.
ours=$(cargo metadata --no-deps --locked --offline --format-version 1 | python3 -c 'import json, sys; print(*(p["name"] for p in json.load(sys.stdin)["packages"]), sep="\n")')
for name in "${sans_io[@]}" "${programs[@]}" "${not_shipped[@]}" "${vendor_words[@]}"; do
  grep -qx "$name" <<<"$ours" || fail "there is no package $name in this workspace: cargo metadata --no-deps"
done
for name in "${impure[@]}" ring opentelemetry opentelemetry-otlp; do
  grep -qx "name = \"$name\"" Cargo.lock || fail "there is no package $name in Cargo.lock"
done
# So would a cargo tree that fails.
tree -p call -e normal | grep -qx serde || fail "cargo tree does not answer"

[ -z "$(tree --workspace -e normal,build -i ring)" ] || fail "ring is a second crypto provider: cargo tree -i ring"

for core in "${sans_io[@]}"; do
  for banned in "${impure[@]}"; do
    tree -p "$core" -e normal | grep -qx "$banned" && fail "$core is sans-IO, and must not depend on $banned"
  done
done

for product in "${programs[@]}"; do
  for simulator in "${not_shipped[@]}"; do
    tree -p "$product" -e normal | grep -qx "$simulator" && fail "$product must not depend on $simulator"
  done
done
# The media task is exposed to the network, and never has Meta's token.
tree -p media-task -e normal | grep -qx whatsapp && fail "media-task must not depend on whatsapp"
# Every request to the table is one of store's; a program only makes the client.
asks=$(grep -rn --include='*.rs' aws_sdk_dynamodb crates functions/*/src media-task/src cli/src | grep -v '^crates/store/' | grep -v 'aws_sdk_dynamodb::Client::new(') || true
[ -z "$asks" ] || fail "only crates/store sends requests to DynamoDB: $asks"

# Traces are an optional feature: docs/traces.md
for program in "${shipped[@]}"; do
  tree -p "$program" -e normal | grep -q '^opentelemetry' && fail "$program must not export traces unless it is built with the feature otlp"
done
tree -p webhook --features otlp -e normal | grep -qx opentelemetry-otlp || fail "the feature otlp of webhook builds no traces in"

# local <- harness <- suites, benches: make serve needs no test harness.
for user in harness suites bench rehearse; do
  tree -p local -e normal,dev | grep -qx "$user" && fail "local must not depend on $user"
done
for user in suites bench rehearse tests; do
  tree -p harness -e normal,dev | grep -qx "$user" && fail "harness must not depend on $user"
done

for simulator in "${simulators[@]}"; do
  for words in "${vendor_words[@]}"; do
    tree -p "$simulator" -e normal,dev | grep -qx "$words" && fail "$simulator must not read its vendor's API with our own $words"
  done
done

python3 scripts/circles.py

# Proof by compilation, where the target is installed: it has no clock and no socket.
if [ -d "$(rustc --print target-libdir --target wasm32-unknown-unknown 2>/dev/null)" ]; then
  cargo check --quiet --locked --offline "${sans_io[@]/#/--package=}" --target wasm32-unknown-unknown
else
  echo "purity: the target wasm32-unknown-unknown is not installed; ${sans_io[*]} were not compiled for it"
fi
