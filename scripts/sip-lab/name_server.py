"""Answers every question for an address (DNS, A) with that of the stand-in for OpenAI, and all others with nothing."""

import asyncio
import socket


class NameServer(asyncio.DatagramProtocol):
    """A name server for one name."""

    def __init__(self, name, address):
        self._name, self._address, self._transport = name, socket.inet_aton(address), None

    def connection_made(self, transport):
        self._transport = transport

    def datagram_received(self, data, peer):
        labels, at = [], 12
        while length := data[at]:
            labels.append(data[at + 1 : at + 1 + length].decode())
            at += 1 + length
        question, kind = data[12 : at + 5], int.from_bytes(data[at + 1 : at + 3])
        known = ".".join(labels).lower() == self._name
        answer = b"\xc0\x0c" + data[at + 1 : at + 5] + (60).to_bytes(4) + (4).to_bytes(2) + self._address if known and kind == 1 else b""
        flags = b"\x81\x80" if known else b"\x81\x83"
        counts = (1).to_bytes(2) + (1 if answer else 0).to_bytes(2) + bytes(4)
        self._transport.sendto(data[:2] + flags + counts + question + answer, peer)
