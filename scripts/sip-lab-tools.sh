#!/usr/bin/env bash
# Installs what the SIP lab runs, from Debian's packages. None of their services is started, now or at boot:
# a policy-rc.d forbids it while they are installed, and the one that was there before comes back.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(kamailio kamailio-tls-modules rtpengine-daemon baresip-core sip-tester openssl)
missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} = 0 ] && exit 0

unfit() { echo "make sip-lab: $1; it needs Debian's packages ${missing[*]}" >&2; exit 64; }
grep -qx 'ID=debian' /etc/os-release 2>/dev/null && command -v apt-get >/dev/null || unfit "this is not Debian"
[ "$(id -u)" = 0 ] || unfit "not root, so nothing can be installed"

policy=/usr/sbin/policy-rc.d
kept=
restore() { if [ -n "$kept" ]; then mv "$kept" "$policy"; else rm -f "$policy"; fi; }
[ ! -e "$policy" ] || { kept=$(mktemp -u "$policy.XXXXXX"); mv "$policy" "$kept"; }
trap restore EXIT
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

units=$(ls /lib/systemd/system 2>/dev/null || true)
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
# A service that came with them stays off at the next boot, too.
command -v systemctl >/dev/null || exit 0
for unit in $(comm -13 <(sort <<<"$units") <(ls /lib/systemd/system | sort)); do
  systemctl disable "$unit" >/dev/null 2>&1 || true
done
