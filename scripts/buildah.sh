#!/usr/bin/env bash
# buildah without a daemon and without a trace outside target/oci.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/apt.sh
. scripts/apt.sh
command -v buildah >/dev/null || apt buildah || give_up "buildah, or start docker"
exec buildah --storage-driver vfs --root "$PWD/target/oci/root" --runroot "$PWD/target/oci/run" "$@"
