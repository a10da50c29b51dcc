"""A telephone with sound: baresip, which plays one sentence, records what it hears, and reports what happens over its control connection."""

import asyncio
import contextlib
import json
import wave
from pathlib import Path

from processes import LOGS, Process

# Seconds of silence around a sentence.
BEFORE, AFTER = 1, 20

CONFIG = """\
poll_method epoll
net_interface {address}
sip_listen {address}:5060
{certificate}
call_local_timeout 60
audio_player aubridge,none
audio_source aufile,{home}/say.wav
audio_alert aubridge,none
snd_path {home}
ausrc_srate 24000
auplay_srate 24000
ausrc_channels 1
auplay_channels 1
rtp_ports 22000-22999
rtcp_mux no
jitter_buffer_delay 5-10
rtp_stats yes
module_path /usr/lib/baresip/modules
module g711.so
module uuid.so
module aufile.so
module aubridge.so
module sndfile.so
module srtp.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen {address}:4444
module_tmp account.so
"""


class Phone:
    """A telephone: its sound is 24 kHz on its own side, and G.711 on the wire."""

    def __init__(self, name, call, address, says, account, certificate=None):
        self.name, self.address, self._says, self._account = name, address, says, account
        self.home = Path(LOGS, f"{name}-{call}-hangs-up").absolute()
        self._certificate = f"sip_certificate {certificate}" if certificate else ""
        self.events, self._news = [], asyncio.Condition()

    async def __aenter__(self):
        self.home.mkdir(parents=True)
        say(self._says, self.home / "say.wav")
        (self.home / "accounts").write_text(self._account + "\n")
        (self.home / "contacts").write_text("")
        (self.home / "config").write_text(CONFIG.format(address=self.address, home=self.home, certificate=self._certificate))
        self._process = await Process.start(self.home.name, "baresip", "-f", str(self.home), "-s")
        await self._process.says("baresip is ready")
        reader, self._writer = await asyncio.open_connection(self.address, 4444)
        self._reader = asyncio.create_task(self._read(reader))
        return self

    async def __aexit__(self, *error):
        self._writer.close()
        await self._process.stop()
        self._reader.cancel()

    async def _read(self, reader):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length = int((await reader.readuntil(b":"))[:-1])
                event = json.loads((await reader.readexactly(length + 1))[:-1])
                async with self._news:
                    self.events.append(event)
                    self._news.notify_all()

    async def does(self, command, parameters=""):
        """Sends a command to the telephone: dial, hangup, sndcode."""
        text = json.dumps({"command": command, "params": parameters}).encode()
        self._writer.write(f"{len(text)}:".encode() + text + b",")
        await self._writer.drain()

    async def sees(self, kind, within=10, count=1):
        """Waits for the first event of this kind, or the count-th; returns it, or None when it is too late."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within), self._news:
                while len(found := [event for event in self.events if event.get("type") == kind]) < count:
                    await self._news.wait()
                return found[count - 1]
        return None

    def recording(self):
        """Returns the file of what the telephone heard."""
        return next(self.home.glob("dump-*dec.wav"), None)


def duration(sentence):
    """Returns how many seconds a sentence lasts, with the silence before it."""
    with wave.open(f"fixtures/speech/{sentence}.wav") as source:
        return BEFORE + source.getnframes() / source.getframerate()


def say(sentence, file):
    """Writes a sentence with silence around it: the media path stands before it begins, and baresip hangs up where a file ends."""
    with wave.open(f"fixtures/speech/{sentence}.wav") as source:
        rate, samples = source.getframerate(), source.readframes(source.getnframes())
    with wave.open(str(file), "wb") as target:
        target.setparams((1, 2, rate, 0, "NONE", "not compressed"))
        target.writeframes(bytes(2 * rate * BEFORE) + samples + bytes(2 * rate * AFTER))
