"""Runs the edge: infra/sip's own files, with the lab's values in settings.cfg, tls.cfg and rtpengine.conf."""

import contextlib
import re
import shutil
import subprocess
from pathlib import Path

from processes import LOGS, Process

ADDRESS, KEY, PROJECT = "203.0.113.10", "lab-trunk-key", "proj_lab"
HOME = Path(LOGS, "edge").absolute()
SOURCE = Path("infra/sip")


# How each file writes a value.
LINES = {
    "settings.cfg": [r"(?m)^(#!define {} ).*()$", r"(?m)^(#!substdef \"/{}/).*(/\")$"],
    "tls.cfg": [r"(?m)^({} = ).*()$"],
    "rtpengine.conf": [r"(?m)^({} = ).*()$"],
}


def fill(file, **values):
    """Copies a file of infra/sip with other values for some of its names; a name that it does not have is an error."""
    text = (SOURCE / file).read_text()
    for name, value in values.items():
        found = 0
        for line in LINES[file]:
            text, count = re.subn(line.format(name), lambda match, value=value: match[1] + value + match[2], text)
            found += count
        if not found:
            raise RuntimeError(f"{file} has no {name}")
    (HOME / file).write_text(text)


def certificates():
    """Makes an authority, OpenAI's certificate as it is reported (its SIP host an alternative name), one for another host, and the edge's own."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=HOME, check=True, capture_output=True)

    def signed(name, subject, alternatives):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={subject}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (HOME / "names.ext").write_text("subjectAltName=" + ",".join(f"DNS:{name}" for name in alternatives))
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names.ext", "-out", f"{name}.crt")
        (HOME / f"{name}.pem").write_text((HOME / f"{name}.crt").read_text() + (HOME / f"{name}.key").read_text())

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lab", "-keyout", "ca.key", "-out", "ca.pem")
    signed("openai", "api.openai.com", ["api.openai.com", "sip.api.openai.com"])
    signed("other", "sip.example.net", ["sip.example.net"])
    signed("edge", "edge", ["edge"])


def prepare():
    """Writes the edge's files, but for the settings."""
    HOME.mkdir(parents=True)
    certificates()
    shutil.copy(SOURCE / "kamailio.cfg", HOME)
    fill("tls.cfg", ca_list=str(HOME / "ca.pem"), private_key=str(HOME / "edge.key"), certificate=str(HOME / "edge.crt"))
    fill("rtpengine.conf", interface=ADDRESS)


@contextlib.asynccontextmanager
async def rtpengine(name):
    """Runs rtpengine."""
    process = await Process.start(name, "rtpengine", f"--config-file={HOME}/rtpengine.conf", "--foreground", "--log-stderr")
    try:
        await process.says("Startup complete")
        yield process
    finally:
        await process.stop()


@contextlib.asynccontextmanager
async def kamailio(name, **settings):
    """Runs Kamailio with some settings of its own."""
    tls = str(HOME / "tls.cfg").replace("/", "\\/")
    fill("settings.cfg", PRIVATE_IP=ADDRESS, OPENAI_PROJECT=PROJECT, TRUNK_KEY=KEY, TLS_SETTINGS=tls, **settings)
    process = await Process.start(name, "kamailio", "-f", f"{HOME}/kamailio.cfg", "-DD", "-E", "-w", str(HOME), "-Y", str(HOME))
    try:
        # It listens before it says so, and takes a moment to its first answer: sipp repeats its request until then.
        await process.says("Listening on")
        yield process
    finally:
        await process.stop()
