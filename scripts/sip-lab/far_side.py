"""Stands in for OpenAI's SIP endpoint where a test wants an answer that no telephone gives: TLS, and an answer by script.

What it says comes from reports of OpenAI's own messages: `s=OAI`, a Contact `sip:OAI@…`, and a 200 without a Content-Type.
"""

import asyncio
import contextlib
import ssl

import sip

ADDRESS, PORT, NAME = "192.0.2.10", 5061, "sip.api.openai.com"
CONTACT = f"<sip:OAI@{NAME}:5061>"  # without a transport, as it was seen
SDP = (
    "v=0\r\no=OAI 1 1 IN IP4 192.0.2.10\r\ns=OAI\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
    "m=audio 43954 RTP/SAVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\na=ptime:20\r\na=sendrecv\r\n"
)


class FarSide:
    """The endpoint: answers each INVITE as `answer` says, and keeps every message."""

    def __init__(self, certificate, answer=486):
        self.certificate, self.answer = certificate, answer
        self.received, self._news, self._writers = [], asyncio.Condition(), set()

    async def __aenter__(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        self._server = await asyncio.start_server(self._serve, ADDRESS, PORT, ssl=context)
        return self

    async def __aexit__(self, *error):
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        self._writers.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            while True:
                await self._take(await sip.read(reader), writer)

    async def _take(self, message, writer):
        async with self._news:
            self.received.append(message)
            self._news.notify_all()
        if message.status or message.method == "ACK":
            return
        if message.method == "INVITE":
            self.invite, self._writer = message, writer
            await self._send(sip.response(message, 100, "Trying", "oai"))
            await self._decide(message)
        elif message.method == "CANCEL":
            await self._send(sip.response(message, 200, "OK", "oai"))
            await self._send(sip.response(self.invite, 487, "Request Terminated", "oai"))
        else:
            await self._send(sip.response(message, 200, "OK", "oai"))

    async def _decide(self, invite):
        if self.answer == 180:
            await self._send(sip.response(invite, 180, "Ringing", "oai"))
        elif self.answer == 200:
            # Without a Content-Type, as OpenAI's was seen in 2025.
            self.answered = sip.response(invite, 200, "OK", "oai", [("Contact", CONTACT)], SDP)
            await self._send(self.answered)
        else:
            await self._send(sip.response(invite, self.answer, "No", "oai"))

    async def _send(self, message):
        self._writer.write(message.encode())
        await self._writer.drain()

    async def asks(self, method, cseq, extra=()):
        """Sends a request within the call, on the connection of the INVITE, and returns its final answer."""
        await self._send(sip.within_call(method, self.invite, self.answered, cseq, extra))
        return await self.gets(lambda message: message.status >= 200 and message.get("CSeq") == f"{cseq} {method}")

    async def gets(self, wanted, within=5):
        """Waits for a message that fits; returns None when it is too late."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within), self._news:
                while not (found := next(filter(wanted, self.received), None)):
                    await self._news.wait()
                return found
        return None

    def invites(self):
        """Returns the INVITEs that came."""
        return [message for message in self.received if message.first.startswith("INVITE ")]
