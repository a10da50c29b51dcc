"""What the edge does with sound: two telephones call through it, and each must have heard the other's sentence."""

import asyncio
import os
import subprocess

import carrier
import edge
import far_side
import phone
from phone import Phone

HEARD = os.environ.get("CARGO_TARGET_DIR", "target") + "/debug/heard"


async def run(check):
    """Makes every check of this file."""
    async with edge.rtpengine("rtpengine-sound"), edge.kamailio("kamailio-sound"):
        await a_call(check, "carrier", "caller-question", "agent-greeting", keys="123#")
        await a_call(check, "openai", "caller-order", "agent-order")


async def a_call(check, hangs_up, said, answered, keys=""):
    """Calls with sound in both directions, until one side hangs up."""
    async with (
        Phone(
            "openai", hangs_up, far_side.ADDRESS, answered,
            f"<sip:{edge.PROJECT}@{far_side.ADDRESS}:5061;transport=tls>;regint=0;answermode=auto;mediaenc=srtp-mand;audio_codecs=pcmu,pcma",
            f"{edge.HOME}/openai.pem",
        ) as openai,
        Phone(
            "carrier", hangs_up, carrier.ADDRESS, said,
            f"<sip:+35699000001@{carrier.ADDRESS}:5060;transport=udp>;regint=0;audio_codecs=pcma,pcmu",
        ) as caller,
    ):
        await caller.does("dial", f"sip:+35621000000@{edge.ADDRESS}:5060")
        check("a telephone calls through the edge", await caller.sees("CALL_ESTABLISHED") and await openai.sees("CALL_ESTABLISHED"))
        secured = await openai.sees("CALL_MENC")
        check("OpenAI's leg is SRTP", secured and secured["param"] == "0,audio,AES_CM_128_HMAC_SHA1_80", secured)
        check("media flows both ways", await openai.sees("CALL_RTPESTAB") and await caller.sees("CALL_RTPESTAB"))
        await asyncio.sleep(max(phone.duration(said), phone.duration(answered)) + 1)  # they speak in real time
        for count, key in enumerate(keys, 1):
            await caller.does("sndcode", key)
            await openai.sees("CALL_DTMF_END", count=count)
        if keys:
            pressed = "".join(event["param"] for event in openai.events if event.get("type") == "CALL_DTMF_START")
            check(f"the keys {keys} arrive (RFC 4733)", pressed == keys, pressed)
        ends, sees = (openai, caller) if hangs_up == "openai" else (caller, openai)
        await ends.does("hangup")
        check(f"{ends.name} hangs up, and {sees.name} sees it", await sees.sees("CALL_CLOSED", within=3))
    for listener, sentence in ((openai, said), (caller, answered)):
        heard = sentences(listener.recording())
        found = ", ".join(f"{name} {alike}" for name, alike in heard.items())
        check(f"{listener.name} heard {found or 'nothing'}", list(heard) == [sentence], f"{sentence} was said")


def sentences(recording):
    """Returns the sentences that the project's own recognition finds in a recording, with how alike they are."""
    if not recording:
        return {}
    lines = subprocess.run([HEARD, str(recording)], capture_output=True, text=True, check=True).stdout.splitlines()
    return {name: float(alike) for name, alike in (line.split() for line in lines)}
