"""The carrier's signalling: one sipp scenario at a time, from an address of the carrier's or of a stranger's."""

from pathlib import Path

import sip
from processes import LOGS, Process

ADDRESS, STRANGER, EDGE = "198.51.100.20", "198.51.100.99", "203.0.113.10"
SCENARIOS = Path("scripts/sip-lab/scenarios")
OFFER = (SCENARIOS / "offer.sdp").read_text().strip()


class Carrier:
    """Plays scenarios, and reads what the carrier received."""

    def __init__(self):
        self._count = 0

    async def plays(self, scenario, source=ADDRESS, transport="u1", dialled="+35621000000", caller="+35699000001", headers=(), **values):
        """Plays a scenario; returns whether all of it happened, and the messages that came."""
        self._count += 1
        name = f"sipp-{self._count:02}-{scenario}"
        text = (SCENARIOS / f"{scenario}.xml").read_text().replace("@INVITE@", (SCENARIOS / "invite.txt").read_text().strip())
        text = text.replace("@HEADERS@\n", "".join(f"{header}\n" for header in headers))
        for key, value in {"DIALLED": dialled, "CALLER": caller, "OFFER": OFFER, **values}.items():
            text = text.replace(f"@{key}@", str(value))
        file, trace = Path(f"{LOGS}/{name}.xml"), Path(f"{LOGS}/{name}.messages").absolute()
        file.write_text(text)
        sipp = await Process.start(
            name, "sipp", EDGE, "-sf", str(file), "-m", "1", "-t", transport, "-i", source, "-p", "5060", "-nostdin",
            "-timeout", "15", "-timeout_error", "-trace_msg", "-message_file", str(trace),
        )
        code = await sipp.ends(20)
        await sipp.stop()
        return code == 0, received(trace.read_text() if trace.exists() else "")


def received(trace):
    """Returns the messages that sipp's trace says were received."""
    messages = []
    for part in trace.split("-----------------------------------------------")[1:]:
        head, _, text = part.partition("\n\n")
        if " message received [" in head:
            lines = text.split("\n\n", 1)
            first, *rest = lines[0].strip().splitlines()
            message = sip.Message(first, [tuple(x.strip() for x in line.split(":", 1)) for line in rest if ":" in line])
            message.body = lines[1].strip() if len(lines) > 1 else ""
            messages.append(message)
    return messages
