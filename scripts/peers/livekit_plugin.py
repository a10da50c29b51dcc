"""LiveKit's agent session over its OpenAI Realtime plugin holds a conversation, without a room: its microphone and its loudspeaker
are ours. It knows no hosted MCP servers."""

import asyncio
import os
import time

from livekit import rtc
from livekit.agents import Agent, AgentSession, function_tool
from livekit.agents.voice import io
from livekit.plugins import openai
from openai.types.realtime.realtime_audio_input_turn_detection import ServerVad
from speech import RATE, Ear, Voice, check, finish

orders = []


class Shop(Agent):
    def __init__(self):
        super().__init__(instructions="You answer calls for a bicycle shop.")

    @function_tool
    async def find_order(self, order: str) -> str:
        """Looks an order up."""
        orders.append(order)
        return "ready"


class Microphone(io.AudioInput):
    def __init__(self):
        super().__init__(label="microphone")
        self._frames = asyncio.Queue()

    async def send(self, sound):
        await self._frames.put(rtc.AudioFrame(sound, RATE, 1, len(sound) // 2))

    async def __anext__(self):
        return await self._frames.get()


class Loudspeaker(io.AudioOutput):
    """Plays in real time, and says how far it got when it is interrupted."""

    def __init__(self, ear):
        super().__init__(label="loudspeaker", capabilities=io.AudioOutputCapabilities(pause=False), sample_rate=RATE)
        self._ear, self._captured, self._began, self._end = ear, 0.0, None, None
        self.interrupted_after = []

    async def capture_frame(self, frame):
        await super().capture_frame(frame)
        if self._began is None:
            self._began = time.monotonic()
            self.on_playback_started(created_at=time.time())
        self._captured += frame.duration
        self._ear.hear(bytes(frame.data))

    def flush(self):
        super().flush()
        if self._began is not None:
            left = self._began + self._captured - time.monotonic()
            self._end = asyncio.get_running_loop().call_later(max(0, left), self._finish, False)

    def clear_buffer(self):
        if self._began is not None:
            self._finish(True)

    def _finish(self, interrupted):
        played = min(self._captured, time.monotonic() - self._began) if interrupted else self._captured
        if interrupted:
            self.interrupted_after.append(played)
        if self._end:
            self._end.cancel()
        self._captured, self._began, self._end = 0.0, None, None
        self.on_playback_finished(playback_position=played, interrupted=interrupted)


async def main():
    ear, microphone, transcripts, errors = Ear(), Microphone(), [], []
    base = os.environ["REALTIME_URL"].replace("ws:", "http:").removesuffix("/realtime")
    detection = ServerVad(type="server_vad", silence_duration_ms=500, create_response=True, interrupt_response=True)
    model = openai.realtime.RealtimeModel(
        model="gpt-realtime-2.1", base_url=base, api_key=os.environ["OPENAI_API_KEY"], turn_detection=detection
    )
    session = AgentSession(llm=model, vad=None)
    session.on("user_input_transcribed", lambda event: transcripts.append(event.transcript))
    session.on("error", lambda event: errors.append(event.error))
    loudspeaker = Loudspeaker(ear)
    session.input.audio, session.output.audio = microphone, loudspeaker
    await session.start(Shop())
    voice = Voice(microphone.send)
    session.generate_reply(instructions="Greet the caller.")
    check("greeting", await ear.until(lambda: ear.contains("agent-greeting"), 10))
    await asyncio.sleep(5)
    await voice.say("caller-question")
    check("turn", await ear.until(lambda: ear.contains("agent-answer"), 10))
    await asyncio.sleep(3)
    check("transcript", len(transcripts) > 0, transcripts)
    await voice.say("caller-directions")
    check("long answer begins", await ear.until(lambda: ear.contains_start_of("agent-long"), 10))
    await asyncio.sleep(1)
    await voice.say("caller-interrupts")
    check("barge-in stops the sound", len(loudspeaker.interrupted_after) == 1, loudspeaker.interrupted_after)
    check("tool called", await ear.until(lambda: orders == ["427"], 10), orders)
    check("tool's answer", await ear.until(lambda: ear.contains("agent-order"), 10))
    await asyncio.sleep(4)
    check("nothing refused", errors == [], errors)
    await voice.stop()
    await session.aclose()


asyncio.run(main())
finish()
