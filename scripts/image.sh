#!/usr/bin/env bash
# Builds the media task's image for an architecture (default: the one to be shipped) from target/ship, FROM scratch, as
# target/ship/<architecture>/image.*: by docker where its daemon answers, else by buildah, which needs none and keeps everything
# under target/oci. target/ship/<architecture>/image holds its location in the syntax of buildah and skopeo.
set -euo pipefail
cd "$(dirname "$0")/.."
architecture=${1:-$(cat target/ship/architecture)}
ship=target/ship/$architecture
roots=/etc/ssl/certs/ca-certificates.crt
give_up() { echo "ahoy: $1" >&2; exit 1; }

[ -f "$ship/media-task" ] || give_up "there is no $ship/media-task: make release"
[ -f "$roots" ] || give_up "please install ca-certificates"
case "$architecture" in arm64) platform=linux/arm64 ;; *) platform=linux/amd64 ;; esac

context=target/oci/context
rm -rf "$context"
mkdir -p "$context"
cp "$ship/media-task" "$context/media-task"
cp "$roots" "$context/ca-certificates.crt"
chmod 755 "$context/media-task"
chmod 644 "$context/ca-certificates.crt"

name=ahoy-media-task:$architecture
rm -f "$ship"/image*
if docker info >/dev/null 2>&1; then
  archive=$ship/image.docker.tar.gz transport=docker-archive
  docker build --quiet --platform "$platform" -t "$name" -f media-task/Containerfile "$context" >/dev/null
  docker save "$name" | gzip > "$archive"
else
  archive=$ship/image.oci.tar transport=oci-archive
  scripts/buildah.sh bud --quiet --isolation chroot --format oci --platform "$platform" -t "$name" \
    -f media-task/Containerfile "$context" >/dev/null
  scripts/buildah.sh push --quiet "$name" "$transport:$archive"
fi
echo "$transport:$PWD/$archive" > "$ship/image"
echo "$archive: $(($(stat -c %s "$archive") / 1024)) KiB"
