"""Starts the lab's processes, waits for what they say, and ends each by its id."""

import asyncio
import contextlib
import os
import re
import signal

LOGS = "target/sip-lab"
PATIENCE = 5  # seconds until a process that was asked to end is killed


class Process:
    """A running program whose output goes to a log, and can be waited for."""

    def __init__(self, name, process):
        self.name, self._process = name, process
        self.log = f"{LOGS}/{name}.log"
        self.said = ""
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, name, *command):
        """Starts the program; its log has its name."""
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        return cls(name, process)

    async def _read(self):
        with open(self.log, "w", errors="replace") as log:
            while data := await self._process.stdout.read(65536):
                text = data.decode(errors="replace")
                log.write(text)
                log.flush()
                self.said += text
                self._news.set()
        self._news.set()

    async def says(self, pattern, within=10):
        """Waits until the output matches; fails with the log's name if it never does."""
        found = await self.waits_for(pattern, within)
        if not found:
            raise RuntimeError(f"{self.name} did not say {pattern!r} within {within} s: {self.log}")
        return found

    async def waits_for(self, pattern, within):
        """Waits until the output matches; returns the match, or None when it is too late."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while not (found := re.search(pattern, self.said)):
                    if self._reader.done():
                        return None
                    self._news.clear()
                    await self._news.wait()
                return found
        return None

    async def ends(self, within):
        """Waits for the end; returns the exit code, or None when it is too late."""
        with contextlib.suppress(TimeoutError):
            code = await asyncio.wait_for(self._process.wait(), within)
            await self._reader
            return code
        return None

    async def stop(self):
        """Asks the process to end, and kills its group when it does not."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            if await self.ends(PATIENCE) is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        await self._reader
