"""The real server, as a child process."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
from pathlib import Path
from types import TracebackType

BINARY = os.environ.get("SIGNALPOST_BIN") or str(Path(__file__).parents[3] / "target/debug/signalpost")
PORTS: set[int] = set()
KEPT_KEY = "a-token-key-that-outlives-the-server-0123456789"


def free_port() -> int:
    """A free port below those that the system gives to connections (Linux: from 32768), so that it stays free between two starts."""
    while True:
        port = random.randrange(10_000, 30_000)
        if port in PORTS:
            continue
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
        PORTS.add(port)
        return port


class Server:
    def __init__(self, *flags: str) -> None:
        self._flags = ("--rate-join", "0", "--rate-send", "0", "--rate-poll", "0", *flags)
        self._process: asyncio.subprocess.Process | None = None
        self.base = ""

    async def __aenter__(self) -> Server:
        await self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.kill()

    @property
    def host(self) -> str:
        return self.base.removeprefix("http://")

    async def start(self) -> None:
        """Starts it, or starts it again at the same address."""
        listen = self.host or f"127.0.0.1:{free_port()}"
        environment = {**os.environ, "SIGNALPOST_LOG": "error"}
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(BINARY, "--listen", listen, *self._flags, stdout=pipe, env=environment)
        assert self._process.stdout is not None
        line = (await self._process.stdout.readline()).decode()
        assert line.startswith("listening on "), line
        self.base = line.split()[-1]

    async def stop(self) -> None:
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """As a power cut would."""
        await self._end(signal.SIGKILL)

    async def _end(self, how: signal.Signals) -> None:
        process = self._process
        if process is not None and process.returncode is None:
            process.send_signal(how)
            await process.wait()
