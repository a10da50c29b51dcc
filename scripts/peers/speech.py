"""A caller that talks to a client of the Realtime API: its voice in real time, and what it hears compared with the recordings.

24 kHz, mono, 16 bit: the simulated model sends its recordings sample by sample, so that what is heard can be compared exactly.
"""

import asyncio
import sys
import time
import wave

RATE = 24000
FRAME = 2 * RATE // 20  # bytes in 50 ms

failures = []


def clip(name):
    """Returns the samples of a recorded sentence, as bytes."""
    with wave.open(f"fixtures/speech/{name}.wav") as file:
        return file.readframes(file.getnframes())


def check(what, holds, found=""):
    """Prints one line; a check that does not hold makes `finish` fail."""
    if not holds:
        failures.append(what)
    print(f"{'ok  ' if holds else 'FAIL'} {what}{f' ({found})' if found and not holds else ''}", flush=True)


def finish():
    sys.exit(1 if failures else 0)


class Voice:
    """A microphone that never stops: silence, and between it what the caller says."""

    def __init__(self, send):
        self._send, self._unsaid = send, bytearray()
        self._task = asyncio.create_task(self._speak())

    async def say(self, name):
        """Returns when the last of it was sent."""
        self._unsaid += clip(name)
        while self._unsaid:
            await asyncio.sleep(0.02)

    async def _speak(self):
        due = time.monotonic()
        while True:
            sound = bytes(self._unsaid[:FRAME]).ljust(FRAME, b"\0")
            del self._unsaid[:FRAME]
            await self._send(sound)
            due += 0.05
            await asyncio.sleep(max(0, due - time.monotonic()))

    async def stop(self):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


class Ear:
    """All audio received from the model."""

    def __init__(self):
        self.heard = bytearray()
        self._more = asyncio.Event()

    def hear(self, sound):
        self.heard += sound
        self._more.set()

    async def until(self, holds, seconds):
        """Waits for more until `holds()`; says whether it does."""
        end = time.monotonic() + seconds
        while not holds():
            self._more.clear()
            try:
                await asyncio.wait_for(self._more.wait(), end - time.monotonic())
            except TimeoutError:
                return holds()
        return True

    def contains(self, name):
        return clip(name) in self.heard

    def contains_start_of(self, name, milliseconds=500):
        return clip(name)[: 2 * RATE * milliseconds // 1000] in self.heard
