"""Long-polls a mailbox until something ends that.

Each batch is delivered before its cursor is sent, because the cursor is the acknowledgement.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping
from typing import Any, Literal, Protocol

from . import _hold
from ._backoff import backoff, retry_delay
from ._http import Doubted
from ._problems import Ending, Problem, Unreachable
from ._stale import Dates, is_stale

#: An empty response that arrived sooner than this was not held.
HASTY = 1.0


class Mailbox(Protocol):
    """How the loop reads, and what it notifies."""

    @property
    def cursor(self) -> int: ...

    async def read(self, wait: float, cursor: int, unique: str | None) -> tuple[dict[str, Any], str | None]: ...

    async def deliver(self, batch: Mapping[str, Any]) -> None: ...

    async def has_room(self) -> bool:
        """Waits until the program has read what was delivered, or until the seat needs a sign of life (False)."""

    def report(self, state: Literal["connected", "reconnecting"], error: Exception | None = None) -> None: ...


def ending_of(error: Exception) -> Ending | Literal["lost"] | None:
    """Does an error of a poll end polling? None if it only calls for a pause."""
    if not isinstance(error, Problem):
        return None
    if error.slug == "poll-superseded":
        return "superseded"
    if error.slug == "kicked":
        return "kicked"
    if error.slug == "room-closed":
        return "closed"
    lost = error.status in (401, 403, 404, 410) or error.slug == "cursor-ahead"
    return "lost" if lost else None


def is_page_for_gone(error: Exception) -> bool:
    """Some proxies replace 404 and 410 by pages of their own. Such a page may mean that the seat is gone, and joining tells: if it is not,
    nothing is lost."""
    return isinstance(error, Unreachable) and error.status in (404, 410)


def loses_seat(error: Exception) -> bool:
    """Does the server no longer know the sender of a message? (An unknown recipient is something else.)"""
    return isinstance(error, Problem) and error.slug != "peer-unknown" and ending_of(error) is not None


class Poll:
    def __init__(self, mailbox: Mailbox, wait_max: float) -> None:
        self._mailbox = mailbox
        self._hold = _hold.fresh(wait_max)
        #: Consecutive failures, and consecutive empty responses that were not held.
        self._failures = 0
        self._hasty = 0
        self._dates = Dates()
        #: Asks for no hold, to learn at once whether the server is back.
        self._probing = False
        #: The age at which a gateway ended the last poll. If the server is there, it was because the poll was idle.
        self._ended_at: float | None = None
        #: A cache has responded, so each request gets a URL of its own.
        self._unique = False

    async def run(self) -> Ending | Literal["lost"]:
        while True:
            ending = await self._once()
            if ending is not None:
                return ending

    async def _once(self) -> Ending | Literal["lost"] | None:
        wait = 0.0 if self._probing else self._hold.seconds
        cursor = self._mailbox.cursor
        started = time.monotonic()
        try:
            batch = await self._read(wait, cursor)
            await self._took(batch, wait, time.monotonic() - started)
            while not await self._mailbox.has_room():
                # Acknowledges nothing, and keeps the seat.
                wait, started = 0.0, time.monotonic()
                await self._read(0, cursor)
        except Doubted:
            return None
        except (Problem, Unreachable) as error:
            ending = ending_of(error)
            if ending is None and self._failures > 0 and is_page_for_gone(error):
                ending = "lost"
            if ending is not None:
                self._ended_at = None
                return ending
            await self._failed(error, wait, time.monotonic() - started)
        return None

    async def _read(self, wait: float, cursor: int) -> dict[str, Any]:
        unique = str(uuid.uuid4()) if self._unique else None
        batch, date = await self._mailbox.read(wait, cursor, unique)
        if is_stale(batch, cursor) or self._dates.is_repeated(date, time.monotonic()):
            raise Unreachable("stale")
        return batch

    async def _took(self, batch: Mapping[str, Any], wait: float, age: float) -> None:
        probed, self._probing = self._probing, False
        self._failures = 0
        if self._ended_at is not None:
            self._hold = _hold.timed_out(self._hold, self._ended_at)
        elif wait > 0:
            self._hold = _hold.answered(self._hold, age)
        self._ended_at = None
        self._mailbox.report("connected")
        await self._mailbox.deliver(batch)
        # If an intermediary strips `wait` or responds from a cache, this must not become a flood of requests.
        hasty = not probed and not batch["messages"] and age < HASTY
        self._hasty = self._hasty + 1 if hasty else 0
        self._unique = self._unique or hasty
        if hasty:
            await asyncio.sleep(backoff(self._hasty))

    async def _failed(self, error: Problem | Unreachable, wait: float, age: float) -> None:
        stale = limited = False
        if isinstance(error, Unreachable):
            if error.reason == "gateway" and wait > 0 and age >= _hold.OPEN:
                # Or it cannot reach the server, and took its time to say so. The next request tells.
                self._ended_at = age
                self._probing = True
                return
            if wait > 0:
                self._hold = _hold.cut(self._hold, age)
            stale = error.reason == "stale"
        else:
            limited = error.slug == "rate-limited"
        self._ended_at = None
        self._unique = self._unique or stale
        if not limited:
            self._mailbox.report("reconnecting", error)
        delay = retry_delay(error, self._failures)
        pause = backoff(self._failures) if delay is None else delay
        self._failures += 1
        # A cache says nothing about the server, and a refusal shows that it is up.
        self._probing = not stale and not limited
        await asyncio.sleep(pause)
