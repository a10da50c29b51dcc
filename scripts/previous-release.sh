#!/bin/sh
# Builds the media task of the release before this one, for the story in which today's functions drive it:
# target/previous/media-task. Which release that is says the file `previous-release`: a commit, or a tag.
set -eu
cd "$(dirname "$0")/.."

release=$(cat previous-release)
if ! commit=$(git rev-parse --verify --quiet "$release^{commit}"); then
    echo "The previous release, $release (file previous-release), is not in this clone's history." >&2
    echo "Its media task is built from there, and tests/tests/stories/releases.rs needs it. Get the history:" >&2
    echo "    git fetch --unshallow --tags        (in GitHub Actions: actions/checkout with fetch-depth: 0)" >&2
    exit 1
fi

folder=target/previous
if [ "$(cat $folder/commit 2>/dev/null)" = "$commit" ] && [ -x $folder/media-task ]; then
    exit 0
fi

echo "Building the media task of the previous release, $release: once" >&2
rm -rf $folder
mkdir -p $folder/source
git archive "$commit" | tar -x -C $folder/source

# In our own target folder and with the features of a whole workspace, so that what both releases have of other people is built once. Its executable comes to lie
# where ours does: it is copied away, and ours is put back.
ours=target/debug/media-task
[ ! -e $ours ] || mv $ours $folder/ours
restore() {
    [ ! -e $folder/ours ] || mv -f $folder/ours $ours
}
trap restore EXIT
CARGO_TARGET_DIR=$PWD/target "${CARGO:-cargo}" build --quiet --locked \
    --manifest-path $folder/source/Cargo.toml --workspace --bin media-task
cp $ours $folder/media-task
rm -f $ours
rm -rf $folder/source
echo "$commit" > $folder/commit
