# shellcheck shell=bash
# What seeing to tools shares: installing Debian packages where apt can, and one line for what somebody must install. Sourced,
# from the project's folder.

apt() {
  command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] && apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
give_up() { echo "ahoy: please install $1" >&2; exit 1; }
