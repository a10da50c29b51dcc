"""Runs the edge of docs/sip.md against a carrier and a stand-in for OpenAI: one line for each check, exit 1 if one fails.

Run by scripts/sip-lab.sh, in the project's folder and in a network namespace of its own. Arguments: signalling, sound; both without.
"""

import asyncio
import re
import signal
import subprocess
import sys
from pathlib import Path

import carrier
import edge
import far_side
import signalling
import sound
from name_server import NameServer
from processes import LOGS

# How many checks each part makes at least: one that ends early has checked nothing.
LEAST = {"signalling": 64, "sound": 13}

# Telephone numbers of the lab, the trunk's key, and SRTP's keys.
SECRETS = re.compile(rf"(3569900|3562100|2507800|78000000|{edge.KEY}|inline:)")


class Checks:
    """The checks so far."""

    def __init__(self):
        self.made = []

    def check(self, what, holds, found=""):
        """Notes a check, and prints its line."""
        self.made.append(bool(holds))
        note = f" ({found})" if found and not holds else ""
        print(f"{'ok  ' if holds else 'FAIL'} {what}{note}", flush=True)


def surroundings():
    """Gives the namespace its addresses, all of loopback, and makes its resolver ours."""

    def run(*command):
        subprocess.run(command, check=True)

    run("ip", "link", "set", "lo", "up")
    for address in (carrier.ADDRESS, carrier.STRANGER, edge.ADDRESS, far_side.ADDRESS):
        run("ip", "address", "add", f"{address}/32", "dev", "lo")
    resolver = Path(LOGS, "resolv.conf")
    resolver.write_text("nameserver 127.0.0.1\n")
    run("mount", "--bind", str(resolver), "/etc/resolv.conf")


async def main(parts):
    """Makes every check of these parts; returns the exit code."""
    surroundings()
    edge.prepare()
    loop = asyncio.get_running_loop()
    # Its processes end with it, also when it is asked to.
    loop.add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    await loop.create_datagram_endpoint(lambda: NameServer(far_side.NAME, far_side.ADDRESS), local_addr=("127.0.0.1", 53))
    checks = Checks()
    if "signalling" in parts:
        await signalling.run(checks.check)
    if "sound" in parts:
        await sound.run(checks.check)
    named = [log.name for log in Path(LOGS).glob("*.log") if log.name.startswith(("kamailio", "rtpengine")) and SECRETS.search(log.read_text())]
    checks.check("the edge's logs have no telephone number and no key", not named, named)
    wrong = checks.made.count(False)
    enough = len(checks.made) > sum(LEAST[part] for part in parts)
    print(f"\n{len(checks.made)} checks{'' if enough else ', which are too few'}, {wrong} wrong; logs: {LOGS}")
    return 0 if wrong == 0 and enough else 1


sys.exit(asyncio.run(main(sys.argv[1:] or list(LEAST))))
