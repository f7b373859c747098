"""Keeps the seat until the end: reads the mailbox, and takes the seat again whenever it is lost."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ._backoff import backoff, bounded, retry_delay
from ._http import Request
from ._poll import Poll
from ._problems import Ending, Problem, SignalpostError, seconds_in
from ._session import Entry, Session

log = logging.getLogger("signalpost")

#: How long the server may take beyond a poll's hold before the poll counts as lost.
GRACE = 10.0


@dataclass(frozen=True)
class Listener:
    #: Up to here the mailbox has been read.
    cursor: Callable[[], int]
    #: The seat was taken again.
    entered: Callable[[Entry], None]
    received: Callable[[Mapping[str, Any]], Awaitable[None]]
    #: Waits until the program has read what was delivered, or until the seat needs a sign of life (False).
    has_room: Callable[[], Awaitable[bool]]
    changed: Callable[[Literal["connected", "reconnecting"], "Exception | None"], None]
    ended: Callable[[Ending, "Exception | None"], None]


class Membership:
    def __init__(self, session: Session, listener: Listener) -> None:
        self._session = session
        self._listener = listener
        #: Set while the seat is held.
        self._seated = asyncio.Event()
        self._lost = asyncio.Event()
        self._rejoins = 0

    async def seated(self) -> None:
        await self._seated.wait()

    def lost(self) -> None:
        """The seat is gone, or may be."""
        self._seated.clear()
        self._lost.set()

    async def keep(self, wait_max: float) -> None:
        """Runs until the end, of which it tells the listener."""
        poll = Poll(self, wait_max)
        try:
            while True:
                self._lost.clear()
                self._seated.set()
                ending = await self._spell(poll)
                self._seated.clear()
                if ending != "lost":
                    return self._listener.ended(ending, None)
                await self._come_back()
        except Exception as error:
            # A defect ends the room, loudly, rather than leave it deaf.
            kicked = isinstance(error, Problem) and error.slug == "kicked"
            self._listener.ended("kicked" if kicked else "closed", error)
            if not isinstance(error, SignalpostError):
                raise

    async def _spell(self, poll: Poll) -> Ending | Literal["lost"]:
        """Polls until that ends, or until the outbox finds the seat lost."""
        polling = asyncio.ensure_future(poll.run())
        losing = asyncio.ensure_future(self._lost.wait())
        try:
            await asyncio.wait({polling, losing}, return_when=asyncio.FIRST_COMPLETED)
            return polling.result() if polling.done() else "lost"
        finally:
            polling.cancel()
            losing.cancel()
            # A batch that is being delivered must not be delivered beside the next one.
            await asyncio.gather(polling, losing, return_exceptions=True)

    async def _come_back(self) -> None:
        self._listener.changed("reconnecting", None)
        # Back off if the last seat was lost before a poll succeeded.
        if self._rejoins > 0:
            await asyncio.sleep(backoff(self._rejoins))
        self._rejoins += 1
        entry = await self._session.enter(_rejoin_delay)
        try:
            self._session.keep()
        except OSError as error:
            log.warning("the seat is not kept for the next process: %s", error)
        self._listener.entered(entry)
        self._listener.changed("connected", None)

    # What the poll needs.

    @property
    def cursor(self) -> int:
        return self._listener.cursor()

    async def read(self, wait: float, cursor: int, unique: str | None) -> tuple[dict[str, Any], str | None]:
        seat = self._session.seat
        url = self._session.at.mailbox(seat.peer, wait, unique)
        request = Request("GET", url, seat.token, cursor=cursor, expects="messages", timeout=wait + GRACE)
        answer = await self._session.http.send(request)
        return answer.body, answer.date

    async def deliver(self, batch: Mapping[str, Any]) -> None:
        self._rejoins = 0
        await self._listener.received(batch)

    async def has_room(self) -> bool:
        return await self._listener.has_room()

    def report(self, state: Literal["connected", "reconnecting"], error: Exception | None = None) -> None:
        self._listener.changed(state, error)


def _rejoin_delay(error: Exception, failures: int) -> float | None:
    """A member that lost its seat waits until one is free; a newcomer is told that the room is full."""
    if isinstance(error, Problem) and error.slug == "room-full":
        wait = seconds_in(error.document, "frees_in_ms")
        return bounded(5.0 if wait is None else max(1.0, wait)) * (1 + 0.2 * random.random())
    return retry_delay(error, failures)
