#!/bin/sh
# Builds programs of the previous release, for the stories in which they meet today's: target/previous/media-task, call-control and
# reaper. The file `previous-release` names that release: a commit, or a tag.
set -eu
cd "$(dirname "$0")/.."

release=$(cat previous-release)
if ! commit=$(git rev-parse --verify --quiet "$release^{commit}"); then
    echo "The previous release, $release (file previous-release), is not in this clone's history." >&2
    echo "Its programs are built from there, and tests/tests/stories/releases.rs needs them. Get the history:" >&2
    echo "    git fetch --unshallow --tags        (in GitHub Actions: actions/checkout with fetch-depth: 0)" >&2
    exit 1
fi

folder=target/previous
programs="media-task call-control reaper"
built="$commit $programs"
if [ "$(cat $folder/built 2>/dev/null)" = "$built" ]; then
    exit 0
fi

echo "Building programs of the previous release, $release: once" >&2
rm -rf $folder
mkdir -p $folder/source $folder/build/debug/deps
# Its files get a fresh modification time: cargo compares times, and must not reuse what was built from our own files.
git archive "$commit" | tar -x -m -C $folder/source

# Third-party crates of both releases are built once: they come from our own build, which runs before this. Cargo replaces
# libraries and rewrites everything else in place: so libraries are hard-linked, and the rest is copied.
if [ -d target/debug/.fingerprint ]; then
    cp -Rp target/debug/.fingerprint target/debug/build $folder/build/debug/
    find target/debug/deps \( -name '*.rlib' -o -name '*.rmeta' -o -name '*.so' \) -exec ln -f {} $folder/build/debug/deps/ \;
    find target/debug/deps -name '*.d' -exec cp -p {} $folder/build/debug/deps/ \;
fi
CARGO_TARGET_DIR=$PWD/$folder/build "${CARGO:-cargo}" build --quiet --locked \
    --manifest-path $folder/source/Cargo.toml --workspace $(printf -- '--bin %s ' $programs)
for program in $programs; do
    cp $folder/build/debug/$program $folder/$program
done
rm -rf $folder/source $folder/build
echo "$built" > $folder/built
