# shellcheck shell=bash
# Brings a stack into a state that can be deployed to, watches it while CloudFormation works, and verifies it afterwards.
# Sourced by scripts/deploy.sh, after scripts/account.sh.

status_of() {
  account_says aws cloudformation describe-stacks --stack-name "$1" --query 'Stacks[0].StackStatus' --output text
}

# A stack whose creation failed can only be deleted, a stuck rollback can be continued, and a stack in progress is waited for.
settle() {
  local name=$1 status
  status=$(status_of "$name")
  case "$status" in
    '' | REVIEW_IN_PROGRESS | CREATE_COMPLETE | UPDATE_COMPLETE | UPDATE_ROLLBACK_COMPLETE | UPDATE_FAILED | IMPORT_COMPLETE) ;;
    DELETE_IN_PROGRESS) account aws cloudformation wait stack-delete-complete --stack-name "$name" ;;
    *_IN_PROGRESS)
      give_up "CloudFormation is at work on the stack $name ($status). When it has ended, the same command goes on from here"
      ;;
    ROLLBACK_COMPLETE | ROLLBACK_FAILED | CREATE_FAILED) clear_away "$name" ;;
    IMPORT_ROLLBACK_COMPLETE) answers_calls "$name" || clear_away "$name" ;;
    IMPORT_ROLLBACK_FAILED | DELETE_FAILED)
      if answers_calls "$name"; then
        give_up "the stack $name is in $status with functions and tasks in it, which this script does not delete (make undeploy does): see its events, aws cloudformation describe-stack-events --stack-name $name"
      fi
      clear_away "$name"
      ;;
    UPDATE_ROLLBACK_FAILED)
      account aws cloudformation continue-update-rollback --stack-name "$name"
      account aws cloudformation wait stack-rollback-complete --stack-name "$name"
      ;;
    *) give_up "the stack $name is in a state that this script does not know: $status" ;;
  esac
}

# Succeeds if a stack has more than the resources that every deletion retains.
answers_calls() {
  [ -n "$(account_says aws cloudformation list-stack-resources --stack-name "$1" --output text --query \
    "StackResourceSummaries[?LogicalResourceId=='MediaService' && ResourceStatus!='DELETE_COMPLETE'].LogicalResourceId")" ]
}

clear_away() {
  account aws cloudformation delete-stack --stack-name "$1"
  account aws cloudformation wait stack-delete-complete --stack-name "$1"
}

# Prints the change sets that were not executed: one that the operator refuses stays, though SAM exits with success.
unexecuted() {
  account_says aws cloudformation list-change-sets --stack-name "$1" --output text \
    --query "Summaries[?ExecutionStatus=='AVAILABLE'].ChangeSetName"
}

# The service's last events, oldest first: an id and a sentence in a line.
service_events() {
  aws ecs describe-services --cluster "$stack" --services media-task --output text \
    --query 'reverse(services[0].events[:10])[].[id,message]' 2>/dev/null || true
}

# Prints the service's new events until it is killed: they say why a task does not start, hours before CloudFormation gives up.
tell_events() {
  trap - ERR
  set +e
  local seen=$1 id message
  while kill -0 "$$" 2>/dev/null; do
    sleep 10
    while IFS=$'\t' read -r id message; do
      if [ -z "$message" ] || [[ $seen == *"$id"* ]]; then continue; fi
      seen+=" $id"
      printf '  ecs: %s\n' "$message"
    done < <(service_events)
  done
}

# Runs a command that CloudFormation works on, and prints the service's events beside it.
watched() {
  typed "$@"
  [ -z "$dry" ] || return 0
  # Read here, not by the watcher: when the watcher starts, the first new event may be there already.
  local before
  before=$(service_events)
  tell_events "$before" </dev/null &
  watcher=$!
  trap 'kill "$watcher" 2>/dev/null || true' EXIT
  "$@"
  kill "$watcher" 2>/dev/null || true
  wait "$watcher" 2>/dev/null || true
  trap - EXIT
}

# CloudFormation can report a stack as complete whose first tasks all died: only running tasks count.
see_it_run() {
  local running=0 desired=0 rollout='' left
  local ask=(aws ecs describe-services --cluster "$stack" --services media-task --output text
    --query "services[0].[runningCount,desiredCount,deployments[?status=='PRIMARY']|[0].rolloutState]")
  typed "${ask[@]}"
  [ -z "$dry" ] || return 0
  for ((left = 20; left > 0; left--)); do
    read -r running desired rollout <<<"$("${ask[@]}" 2>/dev/null || true)" || true
    if [ "${running:-0}" -ge 1 ] && [ "$running" -ge "$desired" ] && [[ ${rollout:-None} =~ ^(COMPLETED|None)$ ]]; then
      echo "  $running of $desired media tasks run"
      return
    fi
    [ "$rollout" != FAILED ] || break
    [ "$left" = 1 ] || sleep 15
  done
  tell_why_not
  give_up "the stack $stack is there, and ${running:-0} of ${desired:-0} media tasks run${rollout:+ (rollout $rollout)}: not deployed. Why should stand above; docs/deploy.md says more, under \"When it hangs\""
}

tell_why_not() {
  local tasks
  service_events | while IFS=$'\t' read -r _ message; do printf '  ecs: %s\n' "$message" >&2; done
  tasks=$(account_says aws ecs list-tasks --cluster "$stack" --service-name media-task --desired-status STOPPED --query taskArns --output text)
  [ -n "$tasks" ] || return 0
  # shellcheck disable=SC2086
  account_says aws ecs describe-tasks --cluster "$stack" --tasks $tasks --output text \
    --query 'tasks[].[stoppedReason,containers[0].reason]' >&2
}

# Runs the doctor's checks of the deployment: all passed (0), keys still missing (2), or a check failed or could not be made (1).
ask_doctor() {
  local url=$1 left status=1 found
  local ask=(env "TABLE=$table" "META_SECRET=$stack/meta" "MEDIA_SECRET=$stack/media"
    "CALL_CONTROL=$stack-call-control" "WEBHOOK_URL=$url" "$ahoy" doctor --json)
  typed "${ask[@]}"
  [ -z "$dry" ] || return 0
  # Functions read a changed secret once a minute at most.
  for ((left = 4; left > 0; left--)); do
    status=0
    # The doctor's own exit code is 1 until Meta's side is set up as well.
    found=$({ "${ask[@]}" 2>/dev/null || true; } | python3 scripts/deployed.py) || status=$?
    if [ "$status" != 1 ] || [ "$left" = 1 ]; then break; fi
    sleep 20
  done
  [ -z "$found" ] || printf '%s\n' "$found"
  return "$status"
}
