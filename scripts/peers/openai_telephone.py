"""OpenAI's own Python package takes telephone calls: it verifies and reads the webhook, decides by REST, and watches the call
from a sideband; and it manages the project's webhook endpoints."""

import asyncio
import json
import os

from openai import APIStatusError, AsyncOpenAI, InvalidWebhookSignatureError
from speech import check, finish

SIMULATOR, PORT, SECRET = os.environ["SIMULATOR_URL"], int(os.environ["WEBHOOK_PORT"]), os.environ["WEBHOOK_SECRET"]
SESSION = {
    "type": "realtime",
    "instructions": "You answer calls for a bicycle shop.",
    "audio": {
        "input": {
            "transcription": {"model": "gpt-4o-transcribe", "language": "en"},
            "turn_detection": {"type": "server_vad", "silence_duration_ms": 500},
        }
    },
    "tools": [{"type": "function", "name": "find_order", "parameters": {"type": "object", "properties": {"order": {"type": "string"}}}}],
}
TALKS = [
    "hear-out", "say caller-question", "hear-out", "press 42#",
    "say caller-directions", "hear-for 1500", "say caller-interrupts", "hear-out",
]  # fmt: skip


async def request(method, url, body=None):
    """A request by hand: the simulator's own controls are no part of OpenAI's API."""
    host, _, path = url.removeprefix("http://").partition("/")
    reader, writer = await asyncio.open_connection(*host.split(":"))
    payload = json.dumps(body).encode() if body else b""
    head = f"{method} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {len(payload)}\r\n\r\n"
    writer.write(head.encode() + payload)
    answer = await reader.read()
    writer.close()
    return json.loads(answer.partition(b"\r\n\r\n")[2])


async def webhook(delivered):
    """Listens for webhooks, each as (headers, body)."""

    async def take(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers["content-length"]))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        delivered.put_nowait((headers, body))

    return await asyncio.start_server(take, "127.0.0.1", PORT)


async def ring(script=()):
    call = {"from": "+35699000001", "dialled": "+35621000000", "headers": [["X-Ahoy-Key", "a key"]], "script": script}
    return (await request("POST", f"{SIMULATOR}/sim/sip/calls", call))["call_id"]


async def carrier(call_id):
    """What the carrier saw of a call."""
    report = await request("GET", f"{SIMULATOR}/sim/sip/calls/{call_id}")
    return [event["event"] for event in report["carrier"]]


class Watcher:
    """Watches one call, and answers tool calls."""

    def __init__(self, connection):
        self.connection, self.seen, self.transcripts, self.keys, self.calls = connection, [], [], "", []

    async def watch(self):
        async for event in self.connection:
            self.seen.append(event.type)
            match event.type:
                case "conversation.item.input_audio_transcription.completed":
                    self.transcripts.append(event.transcript)
                case "input_audio_buffer.dtmf_event_received":
                    self.keys += event.event
                case "response.function_call_arguments.done":
                    self.calls.append(json.loads(event.arguments))
                    item = {"type": "function_call_output", "call_id": event.call_id, "output": '{"state":"ready"}'}
                    await self.connection.conversation.item.create(item=item)
                case "response.done" if any(item.type == "function_call" for item in event.response.output):
                    await self.connection.response.create()

    async def until(self, holds, seconds=15):
        for _ in range(50 * seconds):
            if holds():
                return True
            await asyncio.sleep(0.02)
        return False


async def main():
    client = AsyncOpenAI(api_key=os.environ["OPENAI_API_KEY"], base_url=f"{SIMULATOR}/v1", webhook_secret=SECRET, max_retries=0)
    delivered = asyncio.Queue()
    server = await webhook(delivered)
    calls = client.realtime.calls

    call_id = await ring(TALKS)
    headers, body = await asyncio.wait_for(delivered.get(), 10)
    event = client.webhooks.unwrap(body, headers)
    check("the webhook is signed and read", event.type == "realtime.call.incoming" and event.data.call_id == call_id, event)
    check("its headers are read", any(header.name == "X-Ahoy-Key" for header in event.data.sip_headers))
    check("a changed body is refused", refuses(client, body + b" ", headers))
    check("another secret is refused", refuses(client.with_options(webhook_secret="whsec_bm90IG91cnM="), body, headers))
    await calls.accept(call_id, type="realtime", model="gpt-realtime-2.1", audio={"output": {"voice": "marin"}})
    check("a second accept is refused", await refused(calls.accept(call_id, type="realtime")) == "decision_already_made")
    await talk(client, call_id)
    await calls.hangup(call_id)
    check("a second hangup is refused", await refused(calls.hangup(call_id)) == "call_id_not_found")

    rejected = await ring()
    await asyncio.wait_for(delivered.get(), 10)
    await calls.reject(rejected, status_code=486)
    check("reject", await carrier(rejected) == ["Trying", "Rejected(486)"], await carrier(rejected))

    referred = await ring()
    await asyncio.wait_for(delivered.get(), 10)
    await calls.accept(referred, type="realtime", model="gpt-realtime-2.1")
    await calls.refer(referred, target_uri="tel:+35621000001")
    await asyncio.sleep(1.5)
    seen = await carrier(referred)
    check("refer", seen[-2:] == ['Refer("tel:+35621000001")', "Bye(Transfer)"], seen)
    server.close()
    await endpoints(client.webhooks)


async def endpoints(webhooks):
    """Webhook endpoints, made, rotated and deleted; the one that the simulator began with stays."""
    made = await webhooks.create(name="ahoy", url="https://127.0.0.1:1/openai", event_types=["realtime.call.incoming"])
    check("an endpoint is made with its secret", made.signing_secret.startswith("whsec_"))
    listed = [endpoint async for endpoint in webhooks.list(limit=1)]
    check("endpoints are listed page by page, the newest first", [len(listed), listed[0].id] == [2, made.id], listed)
    changed = await webhooks.update(made.id, event_types=["batch.completed", "realtime.call.incoming"])
    check("an endpoint is changed", changed == await webhooks.retrieve(made.id) and len(changed.event_types) == 2, changed)
    rotated = await webhooks.rotate_secret(made.id, keep_old_secret_active_for_24_hours=True)
    check("a secret is rotated", rotated.signing_secret.startswith("whsec_") and rotated.signing_secret != made.signing_secret)
    odd = await refused(webhooks.create(name="ahoy", url="http://ahoy.example/", event_types=["realtime.call.incoming"]))
    check("an endpoint without TLS is refused", odd == "invalid_value", odd)
    deleted = await webhooks.delete(made.id)
    check("an endpoint is deleted", deleted.deleted and [endpoint.id async for endpoint in webhooks.list()] == [listed[1].id], deleted)


def refuses(client, body, headers):
    try:
        client.webhooks.unwrap(body, headers)
    except InvalidWebhookSignatureError:
        return True
    return False


async def refused(request):
    try:
        await request
    except APIStatusError as error:
        return error.code


async def talk(client, call_id):
    await asyncio.sleep(0.5)  # the sideband opens shortly after the accept
    async with client.realtime.connect(call_id=call_id, max_retries=0) as connection:
        created = await connection.recv()
        check("session.created comes first", created.type == "session.created", created.type)
        await connection.session.update(session=SESSION)
        watcher = Watcher(connection)
        watching = asyncio.create_task(watcher.watch())
        seen = watcher.seen
        check("session.updated", await watcher.until(lambda: "session.updated" in seen, 5))
        await connection.response.create(response={"instructions": "Greet the caller."})
        check("greeting is heard", await watcher.until(lambda: "output_audio_buffer.stopped" in seen), seen)
        check("turn and transcript", await watcher.until(lambda: len(watcher.transcripts) > 0), watcher.transcripts)
        check("keys", await watcher.until(lambda: watcher.keys == "42#", 20), watcher.keys)
        check("barge-in", await watcher.until(lambda: "output_audio_buffer.cleared" in seen, 20))
        check("truncation", "conversation.item.truncated" in seen)
        check("tool called", await watcher.until(lambda: watcher.calls == [{"order": "427"}]), watcher.calls)
        heard = lambda: seen.count("output_audio_buffer.stopped")
        check("tool's answer is heard", await watcher.until(lambda: heard() >= 3), heard())
        check("no sound comes", "response.output_audio.delta" not in seen)
        check("nothing refused", "error" not in seen)
    await asyncio.gather(watching, return_exceptions=True)


asyncio.run(main())
finish()
