"""Looks at a page with headless Chromium, wide and narrow, in light and in dark, and tells as JSON what is there, what does
not fit and what it asked for. Arguments: the page, and the folder for pictures of it."""

import base64
import json
import pathlib
import sys
import tempfile

from chromium import Browser

SIZES = {"wide": (1280, 1.5), "narrow": (400, 1.5)}

# Counts what is there, and names what sticks out of the window or of the box it is in. What scrolls by itself may be wide.
LOOK = """(() => {
  const count = (selector) => document.querySelectorAll(selector).length;
  const scrolls = (element) => element.closest('.scroll') !== null;
  const out = [...document.querySelectorAll('body *')].filter((element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && !scrolls(element) && (box.right > innerWidth + 0.5 || box.left < -0.5);
  }).map((element) => element.tagName + '.' + (element.className.baseVal ?? element.className));
  const voice = (side) => (document.querySelector('svg.' + side + ' path')?.getAttribute('d') ?? '').split('M').length - 1;
  return {
    lanes: [...document.querySelectorAll('[data-lane]')].map((lane) => lane.dataset.lane),
    caller_bars: voice('caller'), agent_bars: voice('agent'),
    lines: count('#talk .line'), turns: count('#turns .turn'), cuts: count('.track > .cut'),
    tools: count('.track > .tool'), events: count('#events tbody tr'), scripts: count('script'), images: count('img'),
    network: count('#network tbody tr'), cost: count('#cost tbody tr'), facts: count('.fact'),
    sticks_out: out, scroll_width: document.documentElement.scrollWidth, width: innerWidth,
    paper: getComputedStyle(document.body).backgroundColor,
    text: document.querySelector('#talk')?.innerText ?? '',
  };
})()"""


def shoot(browser, path):
    size = browser.ask("Page.getLayoutMetrics")["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
    shot = browser.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
    path.write_bytes(base64.b64decode(shot["data"]))


def main(page, folder, profile):
    browser = Browser(profile)
    try:
        browser.look_at(page.resolve().as_uri())
        looks = {}
        for name, (width, scale) in SIZES.items():
            browser.ask(
                "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=scale, mobile=False
            )
            for scheme in ["light", "dark"]:
                feature = {"name": "prefers-color-scheme", "value": scheme}
                browser.ask("Emulation.setEmulatedMedia", features=[feature])
                looks[f"{name}-{scheme}"] = browser.evaluate(LOOK)
                shoot(browser, folder / f"{name}-{scheme}.png")
        own = page.resolve().as_uri()
        asked = [url for url in browser.requests if url != own and not url.startswith("data:")]
        print(json.dumps({"looks": looks, "asked_for": asked}))
    finally:
        browser.process.kill()
        browser.process.wait()


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), profile)
