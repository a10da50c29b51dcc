"""A caller made of aiortc. Its one argument is the address it may be reached at: 127.0.0.1 or ::1."""

import asyncio
import fractions
import json
import sys

import aioice.ice
import aiortc
import av
from aiortc.mediastreams import MediaStreamError
from line import FRAME, RATE, Ear, only_from, read_wav, tell, write_wav


class Mouth(aiortc.MediaStreamTrack):
    """Silence every 20 ms, and between it what the caller says."""

    kind = "audio"

    def __init__(self):
        super().__init__()
        self._unsaid = bytearray()
        self._said = None
        self._sent = 0
        self._began = None

    def say(self, samples):
        self._unsaid += samples.tobytes()
        self._said = asyncio.get_running_loop().create_future()
        return self._said

    async def recv(self):
        loop = asyncio.get_running_loop()
        self._began = self._began or loop.time()
        await asyncio.sleep(max(0, self._began + self._sent / RATE - loop.time()))
        sound = bytes(self._unsaid[: 2 * FRAME])
        del self._unsaid[: 2 * FRAME]
        if self._said and not self._unsaid and not self._said.done():
            self._said.set_result(None)
        frame = av.AudioFrame(format="s16", layout="mono", samples=FRAME)
        frame.planes[0].update(sound.ljust(2 * FRAME, b"\0"))
        frame.sample_rate, frame.pts = RATE, self._sent
        frame.time_base = fractions.Fraction(1, RATE)
        self._sent += FRAME
        return frame


async def listen(track, ear):
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    try:
        while True:
            for frame in resampler.resample(await track.recv()):
                ear.hear(memoryview(bytes(frame.planes[0])[: 2 * frame.samples]).cast("h"))
    except MediaStreamError:
        pass


async def report(connection, ear, path):
    write_wav(path, ear.heard)
    stats = (await connection.getStats()).values()
    of = lambda kind: [stat for stat in stats if stat.type == kind]
    received, answered = of("inbound-rtp"), of("remote-inbound-rtp")
    tell(
        "report",
        received=sum(stat.packetsReceived for stat in received),
        lost=sum(stat.packetsLost for stat in received),
        sender_reports=len(of("remote-outbound-rtp")),
        receiver_reports=len(answered),
    )


async def main(address):
    # Left alone, it would gather every address but loopback's, and ask a STUN server far away.
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [address]
    connection = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[]))
    mouth, ear = Mouth(), Ear()
    connection.addTrack(mouth)
    connection.on("track", lambda track: tasks.append(asyncio.ensure_future(listen(track, ear))))
    tasks = []

    @connection.on("connectionstatechange")
    def changed():
        tell(connection.connectionState)

    await connection.setLocalDescription(await connection.createOffer())
    version = f"aiortc {aiortc.__version__}"
    tell("offer", sdp=only_from(connection.localDescription.sdp, address), version=version)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        match command["do"]:
            case "answer":
                await connection.setRemoteDescription(aiortc.RTCSessionDescription(command["sdp"], "answer"))
            case "say":
                await mouth.say(read_wav(command["wav"]))
                tell("said")
            case "report":
                await report(connection, ear, command["wav"])
    await connection.close()


asyncio.run(main(sys.argv[1]))
