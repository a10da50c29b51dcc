#!/usr/bin/env bash
# Times builds in a fresh clone of HEAD: a first `make call`, what `make serve` adds to it, and the build of `make call` after an edit of one
# file: five minutes. TESTS=1 also times the tests of one package after an edit, RELEASE=1 the release build of make serve: ten minutes each.
# The table is Markdown, as docs/bench/build.md has it.
set -euo pipefail
cd "$(dirname "$0")/.."
clone=target/build-times/clone
rm -rf target/build-times
mkdir -p target/build-times
git clone -q . "$clone"
cd "$clone"
unset CARGO_TARGET_DIR CARGO_INCREMENTAL
log=../log
: >"$log"

# Prints a row: what was timed, its seconds, those of CPU.
row() {
  local what=$1 wall cpu
  shift
  if ! command time -f '%e %U %S' -o ../time "$@" >>"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "build-times: $* failed" >&2
    exit 1
  fi
  read -r wall cpu < <(tail -n 1 ../time | awk '{printf "%.0f %.0f\n", $1, $2 + $3}')
  printf '| %s | `%s` | %d | %d |\n' "$what" "$*" "$wall" "$cpu"
}

# Changes a file as an edit does: its text, not only its time.
edit() { echo '// An edit.' >>"$1"; }

package() {
  cargo metadata --no-deps --format-version 1 | python3 -c 'import json, sys
print(next(p["name"] for p in json.load(sys.stdin)["packages"] if p["manifest_path"].endswith(sys.argv[1])))' "/${1%/src/*}/Cargo.toml"
}

files=(crates/call/src/step.rs media-task/src/session.rs dev/sim-meta/src/graph.rs)
serve=(cargo build --locked --workspace --bin webhook --bin call-control --bin reaper --bin outbox --bin media-task --bin ahoy --bin serve)
printf '| what | command | seconds | CPU seconds |\n|---|---|---|---|\n'
row 'first call from a fresh clone' make call
row 'nothing changed' make rehearse
row 'first `make serve` after it, its build' "${serve[@]}"
for file in "${files[@]}"; do
  edit "$file"
  row "\`make call\` after an edit of \`$file\`, its build" make rehearse
done
if [ -n "${TESTS:-}" ]; then
  row 'all tests, built' cargo nextest run --locked --workspace --no-run
  for file in "${files[@]}"; do
    name=$(package "$file")
    edit "$file"
    row "tests of \`$name\` after an edit of \`$file\`" cargo nextest run --locked --workspace -E "package($name)"
  done
  for file in "${files[@]}"; do
    name=$(package "$file")
    row "tests of \`$name\` alone, the first time" cargo nextest run --locked --package "$name"
    edit "$file"
    row "the same after an edit of \`$file\`" cargo nextest run --locked --package "$name"
  done
fi
[ -z "${RELEASE:-}" ] || row 'first `make serve RELEASE=1`, its build' "${serve[@]}" --release
