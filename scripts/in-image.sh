#!/usr/bin/env bash
# Runs the media task in its image, as ECS would: with its environment alone, as the image's user, and with only those of this
# machine's files that settings name. The network is this machine's.
set -euo pipefail
container=$1
shift
options=()
while IFS= read -r name; do
  case "$name" in
    PATH | HOME | PWD | OLDPWD | SHLVL | _) continue ;;
    AHOY_AGENT | REALTIME_CA_FILE) options+=(--volume "${!name}:${!name}:ro") ;;
  esac
  options+=(--env "$name=${!name}")
done < <(compgen -e)
exec "$(dirname "$0")/buildah.sh" run --isolation chroot "${options[@]}" "$container" -- /media-task "$@"
