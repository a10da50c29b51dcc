"""A caller made of headless Chromium. Its one argument is the address it may be reached at: 127.0.0.1 or ::1."""

import base64
import json
import pathlib
import sys
import tempfile

from chromium import Browser
from line import commands, only_from, read_wav, tell, write_wav


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
