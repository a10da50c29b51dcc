"""A caller made of headless Chromium, driven by the DevTools protocol over a pipe. Its one argument is the address it
may be reached at: 127.0.0.1 or ::1."""

import base64
import json
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile
import threading

from line import commands, only_from, read_wav, tell, write_wav

FLAGS = [
    "--headless=new",
    "--remote-debugging-pipe",
    # Loopback addresses are candidates, by their numbers, once the page may use a microphone. That one is made up.
    "--allow-loopback-in-peer-connection",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    # Nothing leaves this machine: no names are resolved, nothing is fetched, nobody is looked for in the network.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--disable-features=WebRtcHideLocalIpsWithMdns,MediaRouter,DialMediaRouteProvider,OptimizationHints,Translate",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-pings",
    "--no-service-autorun",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    # A window nobody sees is no reason to be slow.
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
]


class Browser:
    """A browser process, and one page in it."""

    def __init__(self, profile):
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        assert program, "please install chromium (on Debian: apt-get install chromium)"
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        flags = [*FLAGS, f"--user-data-dir={profile}"] + (["--no-sandbox"] if os.geteuid() == 0 else [])
        # The browser reads descriptor 3 and writes descriptor 4.
        shell = f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", shell, program, *flags, "about:blank"],
            pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._out, self._in = os.fdopen(ours_out, "wb"), os.fdopen(ours_in, "rb")
        self._replies, self._asked, self._session = queue.Queue(), 0, None
        self._ready = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def open(self, page):
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Runtime.enable")
        self.ask("Runtime.addBinding", name="tellSuite")
        self.ask("Page.navigate", url=page)
        assert self._ready.wait(timeout=60), "the page was never there"

    def ask(self, method, **parameters):
        self._asked += 1
        message = {"id": self._asked, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._out.write(json.dumps(message).encode() + b"\0")
        self._out.flush()
        reply = self._replies.get(timeout=60)
        assert "result" in reply, f"{method}: {reply.get('error')}"
        return reply["result"]

    def evaluate(self, expression):
        result = self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def _read(self):
        unread = b""
        while some := self._in.read1(1 << 16):
            *messages, unread = (unread + some).split(b"\0")
            for message in map(json.loads, messages):
                if "id" in message:
                    self._replies.put(message)
                elif message["method"] == "Runtime.bindingCalled":
                    print(message["params"]["payload"], flush=True)
                    self._ready.set()


def main(address, profile):
    browser = Browser(profile)
    try:
        version = browser.ask("Browser.getVersion")["product"].replace("/", " ").replace("Headless", "")
        browser.open((pathlib.Path(__file__).parent / "chromium.html").as_uri())
        offer = browser.evaluate("offer()")
        tell("offer", sdp=only_from(offer, address), version=version)
        for command in commands():
            match command["do"]:
                case "answer":
                    browser.evaluate(f"answer({json.dumps(command['sdp'])})")
                case "say":
                    sound = base64.b64encode(read_wav(command["wav"]).tobytes()).decode()
                    browser.evaluate(f"say({json.dumps(sound)})")
                    tell("said")
                case "press":
                    browser.evaluate(f"press({json.dumps(command['keys'])})")
                    tell("pressed")
                case "report":
                    facts = browser.evaluate("report()")
                    heard = memoryview(base64.b64decode(facts.pop("heard"))).cast("h")
                    write_wav(command["wav"], heard)
                    tell("report", **facts)
    finally:
        browser.process.kill()
        browser.process.wait()


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
    main(sys.argv[1], profile)
