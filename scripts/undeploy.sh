#!/usr/bin/env bash
# Removes ahoy from the account, and lists what it leaves there. Asks first, unless YES=1; DRY_RUN=1 only shows.
set -Eeuo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/account.sh
. scripts/account.sh

on_linux
tools_are_here aws python3
stack=$(configured stack_name) || exit 1
table=$(parameter TableName "$stack")
is_logged_in

cat <<END
This deletes the stack $stack: functions, media tasks, network, alarms. Calls that are live are cut; to let them end first, see
"Draining" in docs/operate.md. What stays, and costs a little, until you delete it yourself:
  the table with calls and agents   aws dynamodb delete-table --table-name $table
  the secrets                       aws secretsmanager delete-secret --force-delete-without-recovery --secret-id $stack/meta
                                    aws secretsmanager delete-secret --force-delete-without-recovery --secret-id $stack/media
                                    aws secretsmanager delete-secret --force-delete-without-recovery --secret-id $stack/marks
  the log group                     aws logs delete-log-group --log-group-name /ahoy/$stack
  the image repository              aws ecr delete-repository --repository-name ${stack,,}/media-task --force
                                    aws cloudformation delete-stack --stack-name $stack-images
  the zips that SAM uploaded        in the bucket of the stack aws-sam-cli-managed-default
What stays is taken back by the next make deploy. At Meta nothing changes: take the webhook's subscription away there, or callers ring and get no answer.
END
if [ -z "$dry" ] && [ -z "${YES:-}" ]; then
  [ -t 0 ] || give_up "nothing was done: YES=1 means it"
  read -r -p "Delete the stack $stack? (yes) " answer
  [ "$answer" = yes ] || give_up "nothing was done"
fi
# CloudFormation would wait in vain for tasks in the cluster that are not the service's own.
step "stop the media tasks that were started for want of room"
tasks=$(account_says aws ecs list-tasks --cluster "$stack" --family "$stack-media-task" --query taskArns --output text)
alone=''
if [ -n "$tasks" ]; then
  # shellcheck disable=SC2086
  alone=$(account_says aws ecs describe-tasks --cluster "$stack" --tasks $tasks --output text \
    --query "tasks[?starts_with(group, 'family:')].taskArn")
fi
for task in $alone; do account aws ecs stop-task --cluster "$stack" --task "$task" >/dev/null; done
# shellcheck disable=SC2086
[ -z "$alone" ] || account aws ecs wait tasks-stopped --cluster "$stack" --tasks $alone

step "delete the stack $stack"
account aws cloudformation delete-stack --stack-name "$stack"
account aws cloudformation wait stack-delete-complete --stack-name "$stack"
