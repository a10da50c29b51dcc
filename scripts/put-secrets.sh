#!/usr/bin/env bash
# Stores the secrets that are in the environment in a stack's secrets, and leaves all others as they are:
#   META_APP_SECRET, META_ACCESS_TOKEN, META_VERIFY_TOKEN, OPENAI_API_KEY, AHOY_TOOL_SECRET_<NAME>
# NEW_DOOR_KEY=1 makes a new key for the control API (`door_key`); FORGET_PREVIOUS=1 ends the validity of what was replaced.
# Values go from variables through pipes, never onto a command line, into a file or onto the screen. Names what is still
# missing. An app secret or door key that is replaced stays valid as the previous one.
# A stack without a pseudonym key, by which callers are recognised, gets one: the secret STACK/marks, with today's door key and
# the ones before it. It is made once and does not change with the door key: else callers could no longer be found.
# `put-secrets.sh STACK marks` makes that key alone.
set -Eeuo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/account.sh
. scripts/account.sh
# The named stack, else the environment's in samconfig.toml.
stack=${1:-$(configured stack_name)} || exit 1
doing="put the secrets"

put() {
  local id=$stack/$1 current=$2 merged
  local ask=(aws secretsmanager get-secret-value --secret-id "$id" --query SecretString --output text)
  local give=(aws secretsmanager put-secret-value --secret-id "$id" --secret-string file:///dev/stdin)
  typed "${ask[@]}"
  [ -n "$dry" ] || current=$("${ask[@]}")
  # An unreadable secret stops here, before anything would be overwritten.
  merged=$(printf '%s' "$current" | python3 scripts/secret.py merge "$1")
  if [ "$merged" = "$(printf '%s' "$current" | python3 scripts/secret.py normal "$1")" ]; then
    echo "  $id: nothing new"
  else
    typed "${give[@]}"
    [ -n "$dry" ] || printf '%s' "$merged" | "${give[@]}" >/dev/null
    echo "  $id: $(printf '%s' "$current" | python3 scripts/secret.py changes "$1")"
  fi
  printf '%s' "$merged" | python3 scripts/secret.py lacks "$1"
}

keep_pseudonym_key() {
  local id=$stack/marks
  local ask=(aws secretsmanager get-secret-value --secret-id "$stack/media" --query SecretString --output text)
  local make=(aws secretsmanager create-secret --name "$id" --secret-string file:///dev/stdin
    --description "The key of callers' pseudonyms. Never changes, or earlier callers are not found.")
  # Prints None, or when the secret is deleted for good: until then its name is not free.
  local look=(aws secretsmanager describe-secret --secret-id "$id" --query DeletedDate --output text) said
  typed "${look[@]}"
  if [ -z "$dry" ]; then
    if said=$("${look[@]}" 2>&1); then
      [[ $said != *None ]] || return 0
      give_up "the secret $id is being deleted, and people are found by it: restore-secret --secret-id $id brings it back"
    fi
    [[ $said == *ResourceNotFoundException* ]] || give_up "cannot tell whether there is a secret $id: $said"
  fi
  typed "${make[@]}"
  [ -n "$dry" ] || "${ask[@]}" | python3 scripts/secret.py marks media | "${make[@]}" >/dev/null
  echo "  $id: made"
}

if [ "${2:-}" = marks ]; then
  keep_pseudonym_key
  exit
fi
# The state of a new stack: the template creates these two.
put meta '{"verify_token": "made by the template"}'
give_media() { put media '{"door_key": "made by the template"}'; }
# The pseudonym key is made before the door key changes. Otherwise the given values are stored first, even if that key cannot be made.
if [ -n "${NEW_DOOR_KEY:-}${FORGET_PREVIOUS:-}" ]; then
  keep_pseudonym_key
  give_media
else
  give_media
  keep_pseudonym_key
fi
