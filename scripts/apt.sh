# shellcheck shell=bash
# Shared by the scripts that install tools: Debian packages where apt can install them, else one line that names what you must
# install yourself. Sourced, from the project's folder.

apt() {
  command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] && apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
give_up() { echo "ahoy: please install $1" >&2; exit 1; }
