"""A TCP proxy between a client and the server, which breaks HTTP exchanges as a test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from server import Server


@dataclass
class Exchange:
    """A request in transit. `forward` takes it to the server and returns the whole response."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    server: Server = field(repr=False)

    async def forward(self) -> bytes:
        host, port = self.server.host.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            sent = {**self.headers, "host": self.server.host, "connection": "close"}
            if self.body:
                sent["content-length"] = str(len(self.body))
            fields = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
            writer.write(f"{self.method} {self.path} HTTP/1.1\r\n{fields}\r\n".encode() + self.body)
            answer = await reader.read()
            # To the client the connection stays open.
            return answer.replace(b"connection: close\r\n", b"", 1)
        finally:
            writer.transport.abort()

    @property
    def is_poll(self) -> bool:
        return self.method == "GET" and "/messages" in self.path

    @property
    def is_post(self) -> bool:
        return self.method == "POST" and self.path.endswith("/messages")

    @property
    def is_join(self) -> bool:
        return self.method == "POST" and self.path.endswith("/peers")

    @property
    def key(self) -> str:
        return self.headers.get("idempotency-key", "")


class Partial(bytes):
    """The beginning of a response, after which the connection is cut."""


#: What the client gets: bytes, or None for a cut connection.
Rule = Callable[[Exchange], Awaitable[bytes | None]]


def response(status: int, body: str, **headers: str) -> bytes:
    """One that a gateway makes itself."""
    lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(body.encode())}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def problem(status: int, slug: str, **headers: str) -> bytes:
    document = json.dumps({"type": f"/problems/{slug}", "title": slug, "status": status, "detail": slug})
    return response(status, document, Content_Type="application/problem+json", **headers)


def body_of(answer: bytes) -> Any:
    return json.loads(answer.partition(b"\r\n\r\n")[2])


async def passing(exchange: Exchange) -> bytes | None:
    return await exchange.forward()


async def hurrying(exchange: Exchange) -> bytes | None:
    """The client is told of a lease of 0.9 s. The server keeps seats for 45 s, so a machine that stands still costs none."""
    answer = await exchange.forward()
    # Nothing, if the server was killed meanwhile.
    return answer.replace(b'"lease_ms":45000', b'"lease_ms":900  ') or None


class Wire:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._open: set[asyncio.Task[None]] = set()
        self.rule: Rule = passing
        #: All requests so far.
        self.seen: list[Exchange] = []
        self.base = ""

    async def __aenter__(self) -> Wire:
        self._listening = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.base = f"http://127.0.0.1:{self._listening.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listening.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        try:
            while (exchange := await self._read(reader)) is not None:
                self.seen.append(exchange)
                answering = asyncio.ensure_future(self.rule(exchange))
                gone = asyncio.ensure_future(reader.read(1))
                try:
                    # A client sends nothing while it waits, so this is its end.
                    await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
                    answer = answering.result() if answering.done() else None
                finally:
                    answering.cancel()
                    gone.cancel()
                    await asyncio.gather(answering, gone, return_exceptions=True)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
                if isinstance(answer, Partial):
                    writer.close()
                    await writer.wait_closed()
                    break
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader) -> Exchange | None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:
            return None
        line, *fields = head.rstrip().split("\r\n")
        method, path, _ = line.split(" ")
        headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in fields)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Exchange(method, path, headers, body, self._server)
