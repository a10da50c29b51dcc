#!/usr/bin/env bash
# Rehearses a whole call on the release artefacts: the zips, unpacked, as functions; the image, run by buildah as its own user,
# as the media task. On this machine's architecture: a call is real time, and an emulated processor is too slow for it.
set -euo pipefail
cd "$(dirname "$0")/.."
case "$(uname -m)" in x86_64) host=x86-64 ;; *) host=arm64 ;; esac
stage=target/ship/stage

scripts/unpack.sh "$host" "$stage"
scripts/image.sh "$host"
container=$(scripts/buildah.sh from --quiet "$(cat "target/ship/$host/image")")
trap 'scripts/buildah.sh rm "$container" >/dev/null' EXIT
echo "Runs as user $(scripts/buildah.sh inspect --format '{{.OCIv1.Config.User}}' "$container")."

# In place of the program: a script that runs the image.
cat > "$stage/media-task" <<END
#!/bin/sh
exec "$PWD/scripts/in-image.sh" "$container" "\$@"
END
chmod +x "$stage/media-task"

"${CARGO_TARGET_DIR:-target}/debug/rehearse" call --artefacts "$stage" --out target/artefacts
echo "The call was carried by the zips and the image of $host that make release and make image made."
