#!/usr/bin/env bash
# Deploys ahoy to your AWS account, or upgrades it: checks the account, builds, checks the template, pushes the image, deploys
# the stack, stores the secrets that are in the environment, verifies that it runs, and says what to do next. Run again, it
# continues where it stopped.
#   ENVIRONMENT=small|production   which part of samconfig.toml, default small
#   DRY_RUN=1                      builds and checks, and prints each command that would touch the account, in order
#   GO_ON=1                        goes on although IAM names rights that are missing, or Fargate's quota cannot hold old and new tasks
set -Eeuo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/account.sh
. scripts/account.sh
# shellcheck source=scripts/prepare.sh
. scripts/prepare.sh
# shellcheck source=scripts/stack.sh
. scripts/stack.sh

on_linux
tools_are_here aws python3 make cargo
stack=$(configured stack_name) || exit 1
parameters=$(configured parameter_overrides) || exit 1
# Named after the stack, like everything else: a second stack has a table of its own.
table=$(parameter TableName "$stack")
architecture=unbuilt
ahoy=${CARGO_TARGET_DIR:-target}/debug/ahoy

main() {
  is_logged_in
  step "look at the account" && look_at_account
  step "see to SAM" && make infra-tools
  tools_are_here sam
  step "build the functions and the media task" && make release
  step "build the ahoy command, which looks at it afterwards" && cargo build --locked --bin ahoy
  step "make the image" && make image
  step "check the template" && make check-infra
  architecture=$(cat target/ship/architecture)
  [ "$architecture" = arm64 ] || loudly "Built for $architecture, not arm64: it works, and costs a quarter more."
  step "see to the image repository" && see_to_repository
  step "push the image" && push_image
  step "see to the service-linked roles" && make_service_linked_roles
  step "take back what an earlier stack $stack has left" && take_back
  step "make the pseudonym key" && make_pseudonym_key
  step "deploy the stack $stack" && deploy_stack
  step "put the secrets" && scripts/put-secrets.sh "$stack"
  step "see that it runs" && see_it_run
  next_steps
}

see_to_repository() {
  settle "$stack-images"
  account aws cloudformation deploy --stack-name "$stack-images" --template-file infra/repository.yaml \
    --parameter-overrides "RepositoryName=${stack,,}/media-task" --no-fail-on-empty-changeset
  repository=$(output_of "$stack-images" RepositoryUri)
}

# The tag is a hash of the image's content: the same programs have the same tag, and are pushed once.
push_image() {
  local tag
  tag=$(cat media-task/Containerfile "target/ship/$architecture/media-task" | sha256sum | cut -c1-16)
  image=$repository:$tag
  if account_has aws ecr describe-images --repository-name "${repository#*/}" --image-ids "imageTag=$tag"; then
    echo "  it is there already: $tag"
    return
  fi
  local by=(scripts/buildah.sh) made=ahoy-media-task:$architecture
  export REGISTRY_AUTH_FILE=$PWD/target/deploy/registry.json
  if docker info >/dev/null 2>&1; then
    by=(docker)
    account docker tag "$made" "$image"
  fi
  account_pipes aws ecr get-login-password -- "${by[@]}" login --username AWS --password-stdin "${repository%%/*}"
  if [ "${by[0]}" = docker ]; then account docker push "$image"
  else account "${by[@]}" push "$made" "docker://$image"; fi
  rm -f "$REGISTRY_AUTH_FILE"
}

# Undeploying leaves resources with fixed names, which a new stack cannot create again: it imports them first.
take_back() {
  settle "$stack"
  local there
  there=$(account_says aws cloudformation describe-stacks --stack-name "$stack" --output text \
    --query "Stacks[?StackStatus!='REVIEW_IN_PROGRESS'].StackName")
  if [ -n "$there" ]; then echo "  the stack is there: nothing to take back"; return; fi
  local left=() is names
  is=$(account_says aws dynamodb describe-table --table-name "$table" --query Table.TableName --output text)
  [ -z "$is" ] || left+=("Table=$is")
  is=$(account_says aws secretsmanager describe-secret --secret-id "$stack/meta" --query ARN --output text)
  [ -z "$is" ] || left+=("MetaSecret=$is")
  is=$(account_says aws secretsmanager describe-secret --secret-id "$stack/media" --query ARN --output text)
  [ -z "$is" ] || left+=("MediaSecret=$is")
  is=$(account_says aws logs describe-log-groups --log-group-name-prefix "/ahoy/$stack" --output text \
    --query "logGroups[?logGroupName=='/ahoy/$stack'].logGroupName")
  [ -z "$is" ] || left+=("LogGroup=$is")
  if [ "${#left[@]}" = 0 ]; then
    if [ -n "$dry" ]; then echo "  (what these found would be imported first)"; else echo "  nothing was left"; fi
    return
  fi
  names=("${left[@]%%=*}")
  mkdir -p target/deploy
  python3 scripts/kept.py template "${names[@]}" > target/deploy/kept.yaml
  index_as_it_is target/deploy/kept.yaml
  python3 scripts/kept.py identifiers "${left[@]}" > target/deploy/kept.json
  local set=(--stack-name "$stack" --change-set-name "take-back-$RANDOM$RANDOM")
  account aws cloudformation create-change-set "${set[@]}" --change-set-type IMPORT \
    --resources-to-import file://target/deploy/kept.json --template-body file://target/deploy/kept.yaml \
    --parameters "ParameterKey=TableName,ParameterValue=$table" \
    "ParameterKey=RetentionDays,ParameterValue=$(parameter RetentionDays 30)" >/dev/null
  account aws cloudformation wait change-set-create-complete "${set[@]}"
  account aws cloudformation execute-change-set "${set[@]}"
  account aws cloudformation wait stack-import-complete --stack-name "$stack"
}

# CloudFormation cannot change the projection of a live index, and would fail: the table of an earlier release keeps its full one.
index_as_it_is() {
  local kind
  kind=$(account_says aws dynamodb describe-table --table-name "$table" --output text \
    --query "Table.GlobalSecondaryIndexes[?IndexName=='gsi1'].Projection.ProjectionType | [0]")
  [ "$kind" != ALL ] || sed -i -E 's/Projection: \{ProjectionType: INCLUDE.*\}/Projection: {ProjectionType: ALL}/' "$1"
}

# A stack of an earlier release gets its pseudonym key before functions start that look for it.
make_pseudonym_key() {
  if account_has aws secretsmanager describe-secret --secret-id "$stack/media"; then scripts/put-secrets.sh "$stack" marks; fi
}

# Deploys the very zips that `make release` has built and started: there is no second build.
deploy_stack() {
  mkdir -p target/deploy
  local shipped=target/deploy/template.yaml
  sed -E -e "s#CodeUri: functions/(.*)#CodeUri: ../ship/$architecture/\1.zip#" -e 's#: infra/#: ../../infra/#' template.yaml > "$shipped"
  if [ "$architecture" != arm64 ]; then
    sed -i -e 's/Architectures: \[arm64\]/Architectures: [x86_64]/' -e 's/CpuArchitecture: ARM64/CpuArchitecture: X86_64/' "$shipped"
  fi
  index_as_it_is "$shipped"
  # Parameters given here replace all of samconfig.toml's, so all of them are given. SAM ends a value at its first space,
  # unless it is quoted.
  local all
  mapfile -t all < <(sed -E -e '/^TableName=/d' -e 's/^([A-Za-z]+)=([^"].* .*)$/\1="\2"/' <<<"$parameters")
  # 0 is given as well: else what an earlier deployment reserved would stay.
  [ -z "$reserved" ] || all+=("CallControlConcurrency=$reserved")
  local before name
  before=$(unexecuted "$stack")
  watched sam deploy --template-file "$shipped" --config-file "$PWD/samconfig.toml" --config-env "$environment" \
    --parameter-overrides "${all[@]}" "TableName=$table" "ImageUri=$image"
  for name in $(unexecuted "$stack"); do
    [[ $before == *"$name"* ]] || give_up "the change set $name was not executed: the stack $stack is as it was, and nothing was deployed"
  done
}

next_steps() {
  local url status=0 said
  url=$(output_of "$stack" WebhookUrl)
  step "ask the doctor"
  ask_doctor "$url" || status=$?
  case "$status" in
    0) said="Deployed." ;;
    2) said="The stack is there and runs. Calls are answered once the keys named above are given (make secrets STACK=$stack)." ;;
    *) give_up "the stack $stack is there, and what is named above is wrong or not verified: not deployed. docs/doctor.md says more; the same command goes on from here" ;;
  esac
  [ -z "$dry" ] || said="Nothing was touched."
  cat <<END

$said The webhook: $url

Next (docs/deploy.md, "Who answers"):
  cargo install --locked --path cli
  ahoy agents push agents/bike-shop.toml --number <phone number id>
  ahoy setup     # shows what it will change at Meta, and asks first
  ahoy doctor
Then ring it.
$([ "$stack" = ahoy ] || printf '\nThe ahoy command finds it by: export TABLE=%s META_SECRET=%s/meta MEDIA_SECRET=%s/media CALL_CONTROL=%s-call-control' "$table" "$stack" "$stack" "$stack")
END
}

main
