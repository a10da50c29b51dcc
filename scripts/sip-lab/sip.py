"""Reads and writes SIP messages, as far as the stand-in for OpenAI needs them (RFC 3261)."""

import re
from dataclasses import dataclass, field


@dataclass
class Message:
    """A request or a response."""

    first: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""

    def all(self, name):
        """Returns every value of a header, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name):
        """Returns a header's first value, or an empty text."""
        return next(iter(self.all(name)), "")

    @property
    def method(self):
        """The request's method, or that of the request which a response answers."""
        return self.get("CSeq").split()[-1] if self.first.startswith("SIP/") else self.first.split()[0]

    @property
    def status(self):
        """The response's code, or 0."""
        return int(self.first.split()[1]) if self.first.startswith("SIP/") else 0

    def encode(self):
        """Returns the bytes on the wire."""
        lines = [self.first, *(f"{name}: {value}" for name, value in self.headers), f"Content-Length: {len(self.body.encode())}"]
        return ("\r\n".join(lines) + "\r\n\r\n" + self.body).encode()


async def read(reader):
    """Reads one message from a stream; raises IncompleteReadError at its end."""
    head = ""
    while not head.strip():
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    lines = re.sub(r"\r\n[ \t]+", " ", head.strip()).split("\r\n")
    headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
    message = Message(lines[0], headers)
    message.body = (await reader.readexactly(int(message.get("Content-Length") or 0))).decode()
    message.headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
    return message


def response(request, code, phrase, tag, extra=(), body=""):
    """Answers a request; the tag is ours, added to a To that has none."""
    to = request.get("To")
    to = to if ";tag=" in to else f"{to};tag={tag}"
    copied = [(name, value) for name, value in request.headers if name.lower() in ("via", "from", "call-id", "cseq", "record-route")]
    return Message(f"SIP/2.0 {code} {phrase}", [*copied, ("To", to), *extra], body)


def within_call(method, invite, answer, cseq, extra=()):
    """A request of the called side's within the call that the INVITE made (RFC 3261, 12.2.1.1)."""
    contact = re.search(r"<([^>]+)>", invite.get("Contact"))
    target = contact.group(1) if contact else invite.get("Contact").split(";")[0]
    return Message(
        f"{method} {target} SIP/2.0",
        [
            ("Via", f"SIP/2.0/TLS 192.0.2.10:5061;branch=z9hG4bK-{method}-{cseq}"),
            ("Max-Forwards", "70"),
            *(("Route", value) for value in invite.all("Record-Route")),
            ("From", answer.get("To")),
            ("To", invite.get("From")),
            ("Call-ID", invite.get("Call-ID")),
            ("CSeq", f"{cseq} {method}"),
            *extra,
        ],
    )
