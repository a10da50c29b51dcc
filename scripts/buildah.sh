#!/usr/bin/env bash
# buildah without a daemon and without a trace outside target/oci.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v buildah >/dev/null ||
  { command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] && apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends buildah >/dev/null; } ||
  { echo "ahoy: please install buildah, or start docker" >&2; exit 1; }
exec buildah --storage-driver vfs --root "$PWD/target/oci/root" --runroot "$PWD/target/oci/run" "$@"
