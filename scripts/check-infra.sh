#!/usr/bin/env bash
# Checks the deployment as far as that goes without an account: cfn-lint, SAM, checkov, and whether SAM can build it.
# Says so and does nothing when nothing has changed since it last passed. WITHOUT_BUILD=1 leaves the last one out, which takes
# ten minutes the first time.
set -euo pipefail
cd "$(dirname "$0")/.."
export SAM_CLI_TELEMETRY=0
# SAM wants a region to look resources up in. Nobody is asked: there are no credentials, and no metadata service.
export AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
sam=target/infra/sam/bin
templates=(template.yaml infra/*.yaml)

inputs=("${templates[@]}" samconfig.toml scripts/infra-tools.sh scripts/check-infra.sh scripts/infra/* functions/*/Cargo.toml)
now=$(sha256sum "${inputs[@]}")
[ "$now" = "$(cat target/infra/passed 2>/dev/null)" ] && { echo 'check-infra: nothing has changed'; exit 0; }

"$sam/cfn-lint" "${templates[@]}"
"$sam/sam" validate --lint >/dev/null
for environment in small production; do
  "$sam/python" scripts/infra/settings.py template.yaml samconfig.toml "$environment"
done
"$sam/python" scripts/infra/public_url.py template.yaml
target/infra/checkov/bin/checkov --framework cloudformation --skip-download --compact --quiet -f "${templates[@]}"

if [ -n "${WITHOUT_BUILD:-}" ]; then
  echo 'check-infra: templates, settings and rights are as they should be; whether SAM can build them was not asked'
  exit 0
fi

# Debug builds: whether SAM finds and builds each function. What is shipped is built by make release.
target=aarch64-unknown-linux-gnu
template=template.yaml
if ! [ -d "$(rustc --print target-libdir --target "$target")" ]; then
  echo "check-infra: NOT BUILT FOR ARM64: Rust's $target is not here (rustup target add $target). Building for x86-64." >&2
  template=target/infra/x86-64.yaml
  sed -e 's/\[arm64\]/[x86_64]/' -e 's|CodeUri: |&../../|' -e 's|TemplateURL: |&../../|' template.yaml > "$template"
fi
PATH="$PWD/target/infra/lambda/bin:$PATH" SAM_BUILD_MODE=debug CARGO_TARGET_DIR="$PWD/target/infra/cargo" \
  "$sam/sam" build --beta-features --template "$template" --build-dir target/infra/build --cache-dir target/infra/cache \
  >target/infra/build.log 2>&1 || { tail -n 40 target/infra/build.log >&2; exit 1; }
for function in Webhook CallControl Reaper; do
  test -x "target/infra/build/$function/bootstrap"
done

printf '%s' "$now" > target/infra/passed
echo 'check-infra: templates, settings, rights and builds are as they should be'
