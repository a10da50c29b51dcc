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
mkdir -p $folder/source $folder/build/debug/deps
# Its files count as changed just now: cargo goes by that, and must not take what was built of ours for built of them.
git archive "$commit" | tar -x -m -C $folder/source

# What both releases have of other people is built once: it is taken from our own build, which comes before this. Cargo writes
# libraries anew and everything else in place: so these are linked, and the rest is copied.
if [ -d target/debug/.fingerprint ]; then
    cp -Rp target/debug/.fingerprint target/debug/build $folder/build/debug/
    find target/debug/deps \( -name '*.rlib' -o -name '*.rmeta' -o -name '*.so' \) -exec ln -f {} $folder/build/debug/deps/ \;
    find target/debug/deps -name '*.d' -exec cp -p {} $folder/build/debug/deps/ \;
fi
CARGO_TARGET_DIR=$PWD/$folder/build "${CARGO:-cargo}" build --quiet --locked \
    --manifest-path $folder/source/Cargo.toml --workspace --bin media-task
cp $folder/build/debug/media-task $folder/media-task
rm -rf $folder/source $folder/build
echo "$commit" > $folder/commit
