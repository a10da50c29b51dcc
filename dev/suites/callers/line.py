"""What every third-party caller has in common: lines of JSON with the suite, sound as files, and an ear.

The suite says {"do": ...} on standard input; the caller tells {"event": ...} on standard output. The caller lives
until the suite hangs up on it: the end of standard input.
"""

import array
import json
import math
import sys
import wave

RATE = 24_000
FRAME = RATE // 50
# RMS of a frame of 20 ms: louder is a voice.
VOICED = 250
# So many frames without voice, and the agent counts as silent.
QUIET = 30


def tell(event, **facts):
    """Tells the suite something."""
    print(json.dumps({"event": event, **facts}), flush=True)


def read_wav(path):
    """The samples of a file of 24 kHz, mono, 16 bit."""
    with wave.open(path, "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2), path
        return array.array("h", file.readframes(file.getnframes()))


def write_wav(path, samples):
    """Writes samples as such a file."""
    with wave.open(path, "wb") as file:
        file.setframerate(RATE)
        file.setnchannels(1)
        file.setsampwidth(2)
        file.writeframes(array.array("h", samples).tobytes())


def only_from(sdp, address):
    """An offer with the candidates of one address, and the credentials it is all about."""
    lines = sdp.split("\r\n")
    keep = lambda line: not line.startswith("a=candidate:") or line.split(" ")[4] == address
    return "\r\n".join(line for line in lines if keep(line))


class Ear:
    """Keeps what is heard, and tells when a voice begins and falls silent."""

    def __init__(self):
        self.heard = array.array("h")
        self._judged = 0
        self._silent = QUIET

    def hear(self, samples):
        self.heard.extend(samples)
        while len(self.heard) - self._judged >= FRAME:
            frame = self.heard[self._judged : self._judged + FRAME]
            self._judged += FRAME
            self._judge(math.sqrt(sum(s * s for s in frame) / FRAME) > VOICED)

    def _judge(self, voiced):
        if voiced and self._silent >= QUIET:
            tell("voice")
        was, self._silent = self._silent, 0 if voiced else self._silent + 1
        if was < QUIET <= self._silent:
            tell("silence")


def commands():
    """What the suite wants, one after the other."""
    for line in sys.stdin:
        yield json.loads(line)
