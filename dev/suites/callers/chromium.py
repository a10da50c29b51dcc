"""Headless Chromium, driven by the DevTools protocol over a pipe. Nothing of it leaves this machine."""

import json
import os
import queue
import shutil
import subprocess
import threading

FLAGS = [
    "--headless=new",
    "--remote-debugging-pipe",
    # Loopback addresses are candidates, by their numbers, once the page may use a microphone. That one is made up.
    "--allow-loopback-in-peer-connection",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    # Nothing leaves this machine: no names are resolved, nothing is fetched, no device is searched for in the network.
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
    # Keeps a hidden window at full speed.
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
        self._ready, self._loaded = threading.Event(), threading.Event()
        self.requests = []
        threading.Thread(target=self._read, daemon=True).start()

    def open(self, page):
        """Opens a page that says when it is ready."""
        self._attach()
        self.ask("Runtime.addBinding", name="tellSuite")
        self.ask("Page.navigate", url=page)
        assert self._ready.wait(timeout=60), "the page was never there"

    def look_at(self, page):
        """Opens a page, and notes what it asks for."""
        self._attach()
        self.ask("Page.enable")
        self.ask("Network.enable")
        self.ask("Page.navigate", url=page)
        assert self._loaded.wait(timeout=60), "the page was never there"

    def _attach(self):
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Runtime.enable")

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
                elif message["method"] == "Network.requestWillBeSent":
                    self.requests.append(message["params"]["request"]["url"])
                elif message["method"] == "Page.loadEventFired":
                    self._loaded.set()
