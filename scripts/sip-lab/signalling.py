"""What the edge does with SIP messages: the carrier is sipp, OpenAI answers by script."""

import asyncio
import json
import re
import ssl
from pathlib import Path

import carrier
import edge
import far_side
import sip
from carrier import Carrier
from far_side import FarSide

OPENAI = f"{edge.HOME}/openai.pem"
# How carriers may write what was dialled, and the same in +E.164: in Malta, whose national numbers have no prefix, and in Rwanda, whose have 0.
MALTA = {
    "+35621000000": "+35621000000",
    "35621000000": "+35621000000",
    "21000000": "+35621000000",
    "0035621000000": "+35621000000",
    "0044200000000": "+44200000000",
}
RWANDA = {
    "+250780000000": "+250780000000",
    "250780000000": "+250780000000",
    "0780000000": "+250780000000",
    "00250780000000": "+250780000000",
    "00044200000000": "+44200000000",
}


async def run(check):
    """Makes every check of this file."""
    sipp = Carrier()
    async with edge.rtpengine("rtpengine"), edge.kamailio("kamailio") as kamailio:
        await strangers_are_refused(check, sipp, kamailio)
        await openai_gets_what_it_wants(check, sipp)
        await numbers_are_e164(check, sipp, MALTA)
        await withheld_numbers_stay_withheld(check, sipp)
        await refusals_reach_the_carrier(check, sipp)
        await other_certificates_are_refused(check, sipp, kamailio)
        await the_caller_gives_up(check, sipp)
        await the_far_side_hangs_up(check, sipp)
        await the_carrier_refreshes(check, sipp)
    async with edge.rtpengine("rtpengine-rwanda"), edge.kamailio("kamailio-rwanda", COUNTRY_CODE="250", NATIONAL_PREFIX="0", FOREIGN_PREFIX="000?", TRUNK_NAME="rwanda"):
        await numbers_are_e164(check, sipp, RWANDA)
    async with edge.rtpengine("rtpengine-lost"), edge.kamailio("kamailio-lost", OPENAI_HOST="sip.example.net"):
        _, received = await sipp.plays("refused", CODE=503)
        check("where OpenAI's name leads nowhere the carrier gets 503, once", finals(received) == [503], finals(received))
    await rtpengine_restarts(check, sipp)


async def strangers_are_refused(check, sipp, kamailio):
    """Only the carrier's addresses get through."""
    happened, _ = await sipp.plays("options")
    check("OPTIONS of the carrier is answered", happened)
    async with FarSide(OPENAI, 486) as openai:
        happened, _ = await sipp.plays("refused", source=carrier.STRANGER, CODE=403)
        check("an INVITE from another address is refused with 403", happened)
        check("the edge's log names the address", await kamailio.waits_for(rf"refused INVITE: {carrier.STRANGER}", 5))
        happened, _ = await sipp.plays("refused", source=carrier.STRANGER, transport="t1", CODE=403)
        check("by TCP, too", happened)
        check("and by TLS", await invited_by_tls() == 403)
        check("nothing of it reaches OpenAI", not openai.received)
        happened, _ = await sipp.plays("refused", transport="t1", CODE=486)
        check("the carrier may use TCP", happened and len(openai.invites()) == 1)


async def invited_by_tls():
    """Sends an INVITE to the edge's TLS port, and returns the answer's code."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(edge.ADDRESS, 5061, ssl=context)
    headers = {
        "Via": "SIP/2.0/TLS 192.0.2.10:9;branch=z9hG4bK-stranger",
        "Max-Forwards": "70",
        "From": "<sip:+35699000001@192.0.2.10>;tag=stranger",
        "To": f"<sip:+35621000000@{edge.ADDRESS}>",
        "Call-ID": "stranger",
        "CSeq": "1 INVITE",
        "Contact": "<sip:stranger@192.0.2.10;transport=tls>",
    }
    writer.write(sip.Message(f"INVITE sip:+35621000000@{edge.ADDRESS} SIP/2.0", list(headers.items())).encode())
    answer = await asyncio.wait_for(sip.read(reader), 5)
    writer.close()
    return answer.status


async def openai_gets_what_it_wants(check, sipp):
    """The INVITE at the far side: its headers and its offer."""
    forged = ["X-Ahoy-Key: forged", "x-ahoy-dialled: +1", "X-AHOY-Trunk: forged", "X-Ahoy-Else: forged"]
    identity = ["P-Asserted-Identity: <sip:0035699000001@198.51.100.20>"]
    async with FarSide(OPENAI, 486) as openai:
        await sipp.plays("refused", dialled="21000000", headers=forged + identity, CODE=486)
        invites = openai.invites()
    check("the carrier's INVITE reaches OpenAI, once", len(invites) == 1)
    invite = invites[0]
    uri = f"sip:{edge.PROJECT}@{far_side.NAME}:5061;transport=tls"
    check("the request URI is OpenAI's, with TLS named once", invite.first == f"INVITE {uri} SIP/2.0", invite.first)
    ours = [(name.lower(), value) for name, value in invite.headers if name.lower().startswith("x-ahoy")]
    wanted = [("x-ahoy-dialled", "+35621000000"), ("x-ahoy-key", edge.KEY), ("x-ahoy-trunk", "malta")]
    check("X-Ahoy headers from outside are gone, and the edge's are there", sorted(ours) == wanted, ours)
    asserted = [re.findall(r"sip:([^@]+)@", value) for value in invite.all("P-Asserted-Identity")]
    check("the caller is named in +E.164", asserted == [["+35699000001"]], asserted)
    known = [tuple(header.values()) for header in json.loads(Path("fixtures/openai-calls/edge-headers.json").read_text())]
    sent = [header for header in invite.headers if header[0] in dict(known)]
    check("who calls whom stands as ahoy's own tests read it (fixtures/openai-calls/edge-headers.json)", sent == known, json.dumps(sent))
    check("no session timer is offered to OpenAI", not invite.get("Session-Expires") and not invite.get("Supported"))
    media = re.findall(r"(?m)^m=[^\r\n]*", invite.body)
    suites = re.findall(r"(?m)^a=crypto:\d+ (\S+)", invite.body)
    check("OpenAI is offered RTP/SAVP", len(media) == 1 and " RTP/SAVP " in media[0], media)
    check("with exactly one suite, AES_CM_128_HMAC_SHA1_80", suites == ["AES_CM_128_HMAC_SHA1_80"], suites)
    check("without DTLS and ICE", not re.search(r"(?m)^a=(fingerprint|setup|candidate|ice-)", invite.body), invite.body)
    check("with G.711 and keys by RFC 4733", media[0].endswith(" 8 0 101") and "a=rtpmap:101 telephone-event/8000" in invite.body, media)
    check("with the edge's address for media", f"IN IP4 {edge.ADDRESS}" in invite.body and carrier.ADDRESS not in invite.body, invite.body)


async def numbers_are_e164(check, sipp, written):
    """However the carrier writes them."""
    async with FarSide(OPENAI, 404) as openai:
        for dialled, wanted in written.items():
            await sipp.plays("refused", dialled=dialled, CODE=404)
            found = openai.invites()[-1].get("X-Ahoy-Dialled")
            check(f"{dialled} is dialled as {wanted}", found == wanted, found)
        check("each reached OpenAI", len(openai.invites()) == len(written))


async def withheld_numbers_stay_withheld(check, sipp):
    """Also where the carrier tells the edge who calls (RFC 3325)."""
    asserted = ["P-Asserted-Identity: <sip:+35699000001@198.51.100.20>", "Remote-Party-ID: <sip:+35699000001@198.51.100.20>"]
    async with FarSide(OPENAI, 404) as openai:
        await sipp.plays("refused", headers=["Privacy: none", "Privacy: critical; ID", *asserted], CODE=404)
        await sipp.plays("refused", caller="anonymous", headers=asserted, CODE=404)
        by_header, by_name = openai.invites()
        check("Privacy: id keeps a caller from being named", not by_header.get("P-Asserted-Identity") and not by_header.get("Remote-Party-ID"), by_header)
        check("so does a From without a number", "35699000001" not in str(by_name), by_name)
        check("nor does From name them", "35699000001" not in by_header.get("From"), by_header.get("From"))
        check("ahoy reads of it, too, that the number is withheld", "ID" in by_header.all("Privacy")[-1], by_header.all("Privacy"))
    async with FarSide(OPENAI, 200) as openai:
        playing = asyncio.create_task(sipp.plays("hung-up", headers=["Privacy: id"]))
        check("the ACK of a withheld call reaches OpenAI", await openai.gets(lambda message: message.method == "ACK"))
        bye = await openai.asks("BYE", 2)
        happened, received = await playing
    check("and its BYE the carrier", bye and bye.status == 200 and happened, bye)
    named = [str(message.headers) for message in openai.received if "35699000001" in str(message.headers)]
    check("no message to OpenAI has the number in a header", not named, named)
    answers = [message.get("From") for message in received if message.status]
    ended = [message.get("To") for message in received if message.first.startswith("BYE ")]
    check("the carrier sees the From that it sent", len(ended) == 1 and answers and all("35699000001" in value for value in answers + ended), answers + ended)


async def refusals_reach_the_carrier(check, sipp):
    """ahoy's codes, OpenAI's, and that of an OpenAI that is not there."""
    for code in (400, 403, 480, 486, 503, 603):
        async with FarSide(OPENAI, code):
            _, received = await sipp.plays("refused", CODE=code)
            check(f"{code} of OpenAI reaches the carrier, once", finals(received) == [code], finals(received))
    _, received = await sipp.plays("refused", CODE=503)
    check("without OpenAI the carrier gets 503, once", finals(received) == [503], finals(received))


def finals(received):
    """Returns the codes of the final answers that the carrier received."""
    return [message.status for message in received if message.status >= 200]


async def other_certificates_are_refused(check, sipp, kamailio):
    """A host that is not OpenAI's gets no call, though a trusted authority signed its certificate."""
    async with FarSide(f"{edge.HOME}/other.pem", 200) as stranger:
        happened, _ = await sipp.plays("refused", CODE=503)
        check("a host with another name's certificate gets no call: 503", happened and stranger.invites())
        check("and the edge's log says whose it is", await kamailio.waits_for("certificate of sip.example.net, not of OpenAI", 5))


async def rtpengine_restarts(check, sipp):
    """Calls are refused while it is away, and relayed soon after it is back."""
    async with edge.kamailio("kamailio-restart"), FarSide(OPENAI, 486) as openai:
        happened, _ = await sipp.plays("refused", CODE=500)
        check("without rtpengine the carrier gets 500", happened and not openai.invites())
        async with edge.rtpengine("rtpengine-restart"):
            tries = 0
            while not (relayed := (await sipp.plays("refused", CODE=486))[0]) and (tries := tries + 1) < 20:
                await asyncio.sleep(0.5)
            check("and calls are relayed again within ten seconds after it is back", relayed)


async def the_caller_gives_up(check, sipp):
    """CANCEL while it rings."""
    async with FarSide(OPENAI, 180) as openai:
        happened, _ = await sipp.plays("gives-up")
        check("a caller who gives up while it rings gets 487", happened)
        check("and OpenAI gets CANCEL", await openai.gets(lambda message: message.method == "CANCEL"))


async def the_far_side_hangs_up(check, sipp):
    """An answer as OpenAI's was seen, then REFER and BYE from there."""
    async with FarSide(OPENAI, 200) as openai:
        playing = asyncio.create_task(sipp.plays("hung-up"))
        check("the ACK reaches OpenAI", await openai.gets(lambda message: message.method == "ACK"))
        refer = await openai.asks("REFER", 1, [("Refer-To", "<tel:+35621000001>")])
        check("REFER is declined", refer and refer.status == 603, refer)
        bye = await openai.asks("BYE", 2)
        check("BYE of OpenAI reaches the carrier, and its 200 comes back", bye and bye.status == 200, bye)
        happened, received = await playing
    check("the carrier sees one whole call", happened)
    answers = [message for message in received if message.status == 200]
    check("the carrier is answered once", len(answers) == 1)
    answer = answers[0]
    check("a 200 without a Content-Type gets one", answer.get("Content-Type") == "application/sdp", answer)
    check("the carrier is answered RTP/AVP, without SRTP's keys", " RTP/AVP " in answer.body and "crypto" not in answer.body, answer)
    check("with the edge's address for media", f"IN IP4 {edge.ADDRESS}" in answer.body and far_side.ADDRESS not in answer.body, answer)


async def the_carrier_refreshes(check, sipp):
    """Session timers end at the edge."""
    changed = carrier.OFFER.replace("5301 1 IN", "5301 2 IN").replace("m=audio 6000", "m=audio 6010")
    async with FarSide(OPENAI, 200) as openai:
        happened, received = await sipp.plays("refresh", CHANGED=changed)
        check("refreshes are answered, a change is refused, and BYE ends the call", happened)
        answers = [message.body for message in received if message.status == 200 and message.method == "INVITE"]
        check("a refresh gets the answer that the call has", len(answers) == 2 and answers[0] == answers[1] != "", answers)
        contacts = [message.get("Contact") for message in received if message.status == 200 and message.method == "INVITE"]
        check("and OpenAI's Contact", set(contacts) == {far_side.CONTACT}, contacts)
        await openai.gets(lambda message: message.method == "BYE")
        seen = [message.method for message in openai.received]
        check("OpenAI sees nothing of it", seen == ["INVITE", "ACK", "BYE"], seen)
