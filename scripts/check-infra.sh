#!/usr/bin/env bash
# Checks the deployment as far as that works without an account: cfn-lint, SAM, checkov, and the whole stack in a simulated account.
# Does nothing, and says so, when nothing has changed since it last passed. `make release` builds what is deployed.
set -euo pipefail
cd "$(dirname "$0")/.."
export SAM_CLI_TELEMETRY=0
# SAM wants a region to look resources up in. No request leaves: there are no credentials and no metadata service.
export AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
unset AWS_PROFILE AWS_DEFAULT_PROFILE
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
sam=target/infra/sam/bin
templates=(template.yaml infra/*.yaml)

inputs=("${templates[@]}" samconfig.toml scripts/infra-tools.sh scripts/check-infra.sh scripts/infra/*)
now=$(sha256sum "${inputs[@]}")
[ "$now" = "$(cat target/infra/passed 2>/dev/null)" ] && { echo 'check-infra: nothing has changed'; exit 0; }

"$sam/cfn-lint" "${templates[@]}"
"$sam/sam" validate --lint >/dev/null
for environment in small production; do
  "$sam/python" scripts/infra/settings.py template.yaml samconfig.toml "$environment"
done
target/infra/checkov/bin/checkov --framework cloudformation --skip-download --compact --quiet -f "${templates[@]}"

target/infra/moto/bin/python scripts/infra/create.py template.yaml

printf '%s' "$now" > target/infra/passed
echo 'check-infra: templates, settings, rights and references hold'
