"""Sends single requests, and tells the server's responses from others. Nothing else in this package uses aiohttp."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from yarl import URL

from ._problems import Problem, Unreachable

TIMEOUT = 15.0


@dataclass(frozen=True)
class Request:
    method: str
    url: str
    token: str | None = None
    #: JSON, already as bytes: a retry must send the same bytes.
    body: bytes | None = None
    #: `Idempotency-Key`
    key: str | None = None
    #: `Last-Event-ID`
    cursor: int | None = None
    #: A member that the response must have to be the server's.
    expects: str | None = None
    #: In seconds, if not the usual one.
    timeout: float | None = None


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    date: str | None


class Cut(aiohttp.ClientError):
    """The connection was closed before the response."""


async def _once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """aiohttp itself would repeat a `GET` at once, and a proxy that cuts idle polls would not be noticed."""
    try:
        return await send(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise Cut(str(error)) from error


class Doubted(Exception):
    """A later request timed out, so this one would not be answered either. It can be sent again at once."""


class Http:
    """A connection pool. When a request times out, those sent before it on the same network are given up as well."""

    def __init__(self, client: aiohttp.ClientSession | None = None) -> None:
        self._client = client or aiohttp.ClientSession(trust_env=True, middlewares=[_once])
        self._ours = client is None
        self._flights: dict[asyncio.Future[None], float] = {}

    async def send(self, request: Request) -> Answer:
        """Raises `Problem` if the server refuses, `Unreachable` if no response of the server arrives, or `Doubted`."""
        started = time.monotonic()
        doubt: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sending = asyncio.ensure_future(self._send(request))
        sending.add_done_callback(lambda task: task.cancelled() or task.exception())
        self._flights[doubt] = started
        try:
            racing: set[asyncio.Future[Any]] = {sending, doubt}
            await asyncio.wait(racing, return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                raise Doubted
            return sending.result()
        except Unreachable as error:
            if error.reason == "timeout":
                self._doubt(started)
            raise
        finally:
            del self._flights[doubt]
            doubt.cancel()
            sending.cancel()

    async def close(self) -> None:
        if self._ours:
            await self._client.close()

    def _doubt(self, since: float) -> None:
        for doubt, started in self._flights.items():
            if started <= since and not doubt.done():
                doubt.set_result(None)

    async def _send(self, request: Request) -> Answer:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT if request.timeout is None else request.timeout)
        url = URL(request.url, encoded=True)
        try:
            async with self._client.request(
                request.method, url, data=request.body, headers=_headers(request), timeout=timeout
            ) as response:
                return _answer(response, await response.read(), request.expects)
        except asyncio.TimeoutError as error:
            raise Unreachable("timeout") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable("network") from error


def _headers(request: Request) -> dict[str, str]:
    headers = {"Accept": "application/json"}
    if request.token is not None:
        headers["Authorization"] = f"Bearer {request.token}"
    if request.body is not None:
        headers["Content-Type"] = "application/json"
    if request.key is not None:
        headers["Idempotency-Key"] = request.key
    if request.cursor is not None:
        headers["Last-Event-ID"] = str(request.cursor)
    return headers


def _answer(response: aiohttp.ClientResponse, text: bytes, expects: str | None) -> Answer:
    document = _parse(response, text)
    if 200 <= response.status < 300:
        # A portal's page is not empty.
        if not text if expects is None else isinstance(document, dict) and expects in document:
            return Answer(response.status, document, response.headers.get("Date"))
    elif isinstance(document, dict) and "/problems/" in str(document.get("type", "")):
        # Intermediaries may use RFC 9457, too; only these problems are the server's.
        raise Problem(document, response.status, _retry_after(response.headers))
    elif response.status == 413:
        # A proxy's size limit is as final as the server's.
        raise Problem({"type": "/problems/body-too-large", "title": "Too large for a proxy"}, 413)
    raise Unreachable("gateway" if response.status >= 500 else "foreign", response.status, _retry_after(response.headers))


def _parse(response: aiohttp.ClientResponse, text: bytes) -> Any:
    if not re.search(r"\bjson\b", response.headers.get("Content-Type", ""), re.IGNORECASE):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """`Retry-After` (RFC 9110, section 10.2.3) in seconds: from seconds, or from a date, which is compared with the
    response's `Date` if there is one. None if it is invalid."""
    value = headers.get("Retry-After", "")
    if re.fullmatch(r"[0-9]+", value):
        # Hundreds of digits overflow a `float`. The wait is capped anyway.
        return float(value[:12])
    until, now = _seconds(value), _seconds(headers.get("Date", ""))
    if until is None:
        return None
    wait = until - (time.time() if now is None else now)
    return wait if wait > 0 else None


def _seconds(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
