"""OpenAI's own Python package holds a conversation: its types read every event, and a hosted MCP call is followed by one
`response.create`, as OpenAI's own agents SDK does it."""

import asyncio
import base64
import json
import os
import time

from openai import AsyncOpenAI
from speech import RATE, Ear, Voice, check, finish

SESSION = {
    "type": "realtime",
    "instructions": "You answer calls for a bicycle shop.",
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": RATE},
            "transcription": {"model": "gpt-4o-transcribe", "language": "en"},
            "turn_detection": {"type": "server_vad", "silence_duration_ms": 500},
        },
        "output": {"format": {"type": "audio/pcm", "rate": RATE}, "voice": "marin"},
    },
    "tools": [
        {"type": "function", "name": "find_order", "parameters": {"type": "object", "properties": {"order": {"type": "string"}}}},
        {"type": "mcp", "server_label": "shop", "server_url": "https://mcp.example.com", "require_approval": "never"},
    ],
}


class Client:
    """Plays what it receives, stops playing when the caller speaks, and answers tool calls."""

    def __init__(self, connection):
        self.connection, self.ear = connection, Ear()
        self.seen, self.calls, self.responses = [], [], []
        self.transcripts = []
        # The item that is being played, since when, and how much of it there is.
        self.playing, self.began, self.received = None, 0.0, 0.0
        self.owes_response = False

    async def listen(self):
        async for event in self.connection:
            self.seen.append(event.type)
            await self.handle(event)
            self.ear.hear(b"")

    async def handle(self, event):
        match event.type:
            case "response.output_audio.delta":
                sound = base64.b64decode(event.delta)
                if self.playing != event.item_id:
                    self.playing, self.began, self.received = event.item_id, time.monotonic(), 0.0
                self.received += len(sound) / 2 / RATE
                self.ear.hear(sound)
            case "input_audio_buffer.speech_started":
                played = time.monotonic() - self.began
                if self.playing and played < self.received:
                    await self.connection.conversation.item.truncate(
                        item_id=self.playing, content_index=0, audio_end_ms=int(1000 * played)
                    )
                self.playing = None
            case "conversation.item.input_audio_transcription.completed":
                self.transcripts.append(event.transcript)
            case "response.function_call_arguments.done":
                self.calls.append((event.name, json.loads(event.arguments)))
                item = {"type": "function_call_output", "call_id": event.call_id, "output": '{"state":"ready"}'}
                await self.connection.conversation.item.create(item=item)
                self.owes_response = True
            case "response.mcp_call.completed":
                self.calls.append(("mcp", event.item_id))
                self.owes_response = True
            case "response.done":
                self.responses.append(event.response)
        settled = self.seen[-1] in ("response.done", "response.mcp_call.completed")
        if self.owes_response and settled and self.seen.count("response.created") == len(self.responses):
            self.owes_response = False
            await self.connection.response.create()


async def main():
    realtime = os.environ["REALTIME_URL"]
    client = AsyncOpenAI(api_key=os.environ["OPENAI_API_KEY"], websocket_base_url=realtime.removesuffix("/realtime"))
    async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
        created = await connection.recv()
        check("session.created comes first", created.type == "session.created", created.type)
        await connection.session.update(session=SESSION)
        agent = Client(connection)
        listening = asyncio.create_task(agent.listen())
        check("session.updated", await agent.ear.until(lambda: "session.updated" in agent.seen, 5))
        voice = Voice(lambda sound: connection.input_audio_buffer.append(audio=base64.b64encode(sound).decode()))
        await connection.response.create(response={"instructions": "Greet the caller."})
        await converse(agent, voice)
        await voice.stop()
    await asyncio.gather(listening, return_exceptions=True)


async def converse(agent, voice):
    ear = agent.ear
    check("greeting", await ear.until(lambda: ear.contains("agent-greeting"), 10))
    await asyncio.sleep(5)
    await voice.say("caller-question")
    check("turn", await ear.until(lambda: ear.contains("agent-answer"), 10))
    check("transcript", await ear.until(lambda: len(agent.transcripts) > 0, 5), agent.transcripts)
    await asyncio.sleep(3)
    await voice.say("caller-directions")
    check("long answer begins", await ear.until(lambda: ear.contains_start_of("agent-long"), 10))
    await asyncio.sleep(0.3)
    await voice.say("caller-interrupts")
    check("barge-in cancels", await ear.until(lambda: agent.responses[-1].status == "cancelled", 5), agent.responses[-1].status)
    check("truncation", await ear.until(lambda: "conversation.item.truncated" in agent.seen, 5))
    check("tool called", await ear.until(lambda: ("find_order", {"order": "427"}) in agent.calls, 10), agent.calls)
    check("tool's answer", await ear.until(lambda: ear.contains("agent-order"), 10))
    await asyncio.sleep(3)
    check("MCP tools listed", "mcp_list_tools.completed" in agent.seen)
    await voice.say("caller-thanks")
    check("MCP call", await ear.until(lambda: "response.mcp_call.completed" in agent.seen, 10))
    check("MCP answer", await ear.until(lambda: ear.contains("agent-closing"), 10))
    await asyncio.sleep(1)
    check("one MCP call", agent.seen.count("response.mcp_call.completed") == 1)
    check("nothing refused", "error" not in agent.seen)


asyncio.run(main())
finish()
