#!/usr/bin/env bash
# Runs buildah without a daemon, with all its files under target/oci.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/apt.sh
. scripts/apt.sh
command -v buildah >/dev/null || apt buildah || give_up "buildah, or start docker"
exec buildah --storage-driver vfs --root "$PWD/target/oci/root" --runroot "$PWD/target/oci/run" "$@"
