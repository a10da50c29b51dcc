# shellcheck shell=bash
# Checks the account before the stack is deployed (rights, quotas, cost), and creates service-linked roles.
# Sourced by scripts/deploy.sh, after scripts/account.sh.

# Concurrency reserved for call-control: 0 where the account's quota does not allow it, empty where the quota cannot be read or
# samconfig.toml sets it.
reserved=''
# Lambda keeps as many unreserved.
kept_unreserved=100
# The invocations kept for call-control, which a flood of webhooks cannot take; also its upper bound. As many again stay for
# webhooks. `ahoy doctor` uses the same number (OWN_CONCURRENCY).
wanted_reserved=100

look_at_account() {
  name_missing_rights
  read_fargate_quota
  read_lambda_quota
  python3 scripts/cost.py month "$environment" || echo "  What it costs a month cannot be computed"
}

# A policy belongs to a user or a role, not to the session assumed with it.
policy_holder() {
  local role
  case "$caller" in
    *:assumed-role/*)
      role=${caller#*:assumed-role/}
      account_says aws iam get-role --role-name "${role%%/*}" --query Role.Arn --output text
      ;;
    *) echo "$caller" ;;
  esac
}

name_missing_rights() {
  local holder lacking right rights
  [[ $caller != *:root ]] || { echo "  the account's root user lacks no right"; return; }
  holder=$(policy_holder)
  mapfile -t rights < <(sed -e '/^#/d' -e '/^$/d' infra/deploy-rights.txt)
  typed aws iam simulate-principal-policy --policy-source-arn "${holder:-<you>}" --action-names '(those of infra/deploy-rights.txt)'
  [ -z "$dry" ] || return 0
  if [ -z "$holder" ] || ! lacking=$(aws iam simulate-principal-policy --policy-source-arn "$holder" --action-names "${rights[@]}" \
    --query "EvaluationResults[?EvalDecision!='allowed'].EvalActionName" --output text 2>/dev/null); then
    echo "  IAM does not tell these credentials what they may (iam:SimulatePrincipalPolicy): what is missing will show in the stack"
    return
  fi
  local missing=''
  for right in $lacking; do
    [ "$right" != None ] || continue
    echo "ahoy: these credentials lack $right" >&2
    missing=yes
  done
  [ -z "$missing" ] || [ -n "${GO_ON:-}" ] ||
    give_up "nothing was done. IAM was asked for any resource: if they are granted for ahoy's alone, GO_ON=1 make deploy"
}

# Without vCPUs tasks wait, and CloudFormation waits three hours for them.
read_fargate_quota() {
  local cpu warm most quota needed
  cpu=$(parameter TaskCpu 1024) warm=$(parameter WarmTasks 1) most=$(parameter MaxTasks 10)
  local code=(--service-code fargate --quota-code L-3032A538)
  quota=$(account_says aws service-quotas get-service-quota "${code[@]}" --query Quota.Value --output text)
  quota=${quota%.*}
  if [ -z "$quota" ]; then
    [ -n "$dry" ] || echo "  Fargate's quota of vCPUs cannot be read; in a new account it may be too small for any task"
    return 0
  fi
  # During a deployment new tasks run beside the old ones.
  needed=$(((2 * warm * cpu + 1023) / 1024))
  local more="aws service-quotas request-service-quota-increase ${code[*]} --desired-value"
  if [ $((quota * 1024)) -lt $((warm * cpu)) ]; then
    give_up "Fargate lets this account use $quota vCPUs, and $warm warm tasks with those that replace them need $needed: CloudFormation would wait for hours. Ask for more: $more $needed. Nothing was done"
  fi
  echo "  Fargate lets this account use $quota vCPUs"
  if [ $((quota * 1024)) -lt $((2 * warm * cpu)) ]; then
    loudly "An update has new tasks beside the $warm warm ones, and all of them need $needed vCPUs: it would wait for hours. Ask for more: $more $needed"
    if [ -z "${GO_ON:-}" ] && answers_calls "$stack"; then
      give_up "nothing was done. If this update changes no task: GO_ON=1 make deploy"
    fi
  fi
  [ $((quota * 1024)) -ge $((most * cpu)) ] ||
    loudly "$most tasks, MaxTasks, would need $(((most * cpu + 1023) / 1024)): $more $(((most * cpu + 1023) / 1024))"
}

# Prints how many invocations a function has reserved now.
reserved_now() {
  local now
  now=$(account_says aws lambda get-function-concurrency --function-name "$stack-$1" --query ReservedConcurrentExecutions --output text)
  echo "${now:-0}"
}

read_lambda_quota() {
  local said quota free given webhook
  said=$(account_says aws lambda get-account-settings --output text \
    --query 'AccountLimit.[ConcurrentExecutions,UnreservedConcurrentExecutions]')
  read -r quota free <<<"$said" || true
  if [ -z "$quota" ]; then
    [ -n "$dry" ] || echo "  Lambda's quota of concurrent executions cannot be read"
    return 0
  fi
  echo "  Lambda runs $quota invocations at once for this account"
  given=$(parameter CallControlConcurrency '')
  [ -z "$given" ] || return 0
  webhook=$(parameter ReservedConcurrency 0)
  free=$((free + $(reserved_now call-control) + $(reserved_now webhook) - webhook))
  if [ "$free" -ge $((kept_unreserved + 2 * wanted_reserved)) ]; then
    reserved=$wanted_reserved
    echo "  $reserved of them are reserved for call-control: a flood of webhooks cannot take those"
  else
    reserved=0
    loudly "Too few to reserve any for call-control: a flood of webhooks could keep calls from being answered. Ask for more: aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000"
  fi
}

# In an account that never used ECS these two are missing, and the first stack would fail.
make_service_linked_roles() {
  local role service made='' said
  for role in ecs.amazonaws.com/AWSServiceRoleForECS \
    ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService; do
    service=${role%/*}
    if account_has aws iam get-role --role-name "${role#*/}"; then continue; fi
    typed aws iam create-service-linked-role --aws-service-name "$service"
    [ -z "$dry" ] || continue
    if said=$(aws iam create-service-linked-role --aws-service-name "$service" 2>&1); then made=yes
    # It exists, and these credentials may not read it.
    elif [[ $said == *"has been taken"* ]]; then :
    else loudly "The service-linked role of $service could not be made: ${said//$'\n'/ }"; fi
  done
  # IAM is eventually consistent.
  [ -z "$made" ] || account sleep 15
}
