"""This process's identity in the room: takes the seat, takes it again, and sends requests with its token."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ._backoff import retry_delay
from ._endpoints import Endpoints
from ._http import Answer, Doubted, Http, Request
from ._problems import Problem, Unreachable
from ._seat import Seat, SeatFile

if TYPE_CHECKING:
    from ._sealing import Sealing

#: After one of these there is no seat to come back to.
UNSEATED = frozenset({"kicked", "room-closed", "token-invalid"})

DelayOf = Callable[[Exception, int], "float | None"]
OnRetry = Callable[[Exception, int, float], None]


@dataclass(frozen=True)
class Entry:
    joined: Mapping[str, Any]
    #: Seat, mailbox and cursor are the same as before.
    resumed: bool


#: How long leaving may wait for the server.
GOODBYE = 5.0


class Session:
    def __init__(
        self, http: Http, at: Endpoints, wishes: Mapping[str, Any], seat: Seat | None, file: SeatFile | None, sealing: Sealing | None = None
    ) -> None:
        self.http = http
        self.at = at
        self.sealing = sealing
        if sealing:
            wishes = sealing.wishes(wishes)
        self._wishes = json.dumps({**wishes, "page": at.page}).encode()
        self._file = file
        self._seat = seat or (file.load() if file else None)

    @property
    def seat(self) -> Seat:
        if self._seat is None:
            raise RuntimeError("There is no seat.")
        return self._seat

    async def enter(self, delay_of: DelayOf = retry_delay, on_retry: OnRetry | None = None) -> Entry:
        """Joins: with the kept seat, if any, and as a new peer if the server does not recognise it."""
        back = self._seat is not None
        try:
            return await self._join(delay_of, on_retry)
        except Problem as problem:
            if problem.slug not in UNSEATED:
                raise
            self.forget()
            if back and problem.slug == "token-invalid":
                return await self._join(delay_of, on_retry)
            raise

    async def _join(self, delay_of: DelayOf, on_retry: OnRetry | None) -> Entry:
        token = self._seat.token if self._seat else None
        request = Request("POST", self.at.join, token, self._wishes, key=str(uuid.uuid4()), expects="token")
        answer = await self._persist(request, delay_of, on_retry)
        joined = answer.body
        room_token = joined.get("room_token") or (self._seat.room_token if self._seat else None)
        self._seat = Seat(joined["peer"]["id"], joined["token"], room_token)
        return Entry(self.sealing.joined(joined) if self.sealing else joined, resumed=answer.status == 200)

    async def persist(self, request: Request) -> Answer:
        """Repeats a request until it succeeds or is refused for good."""
        return await self._persist(request, retry_delay, None)

    async def _persist(self, request: Request, delay_of: DelayOf, on_retry: OnRetry | None) -> Answer:
        failures = 0
        while True:
            try:
                return await self.ask(request)
            except (Problem, Unreachable) as error:
                delay = delay_of(error, failures)
                if delay is None:
                    raise
                failures += 1
                if on_retry:
                    on_retry(error, failures, delay)
                await asyncio.sleep(delay)

    async def ask(self, request: Request) -> Answer:
        """Sends a request that has its token already, or none."""
        while True:
            try:
                return await self.http.send(request)
            except Doubted:
                continue

    async def ask_seated(self, request: Request) -> Answer:
        """Sends a request with the seat's token."""
        return await self.ask(replace(request, token=self.seat.token))

    def keep(self) -> None:
        """From now on the next process returns to this seat. Raises `OSError` if its file cannot be written."""
        if self._file and self._seat:
            self._file.save(self._seat)

    async def keep_or_give_up(self, entry: Entry) -> None:
        """As `keep`. If that fails, the seat that was just taken is freed; one that was there before can be returned to."""
        try:
            self.keep()
        except OSError:
            if not entry.resumed:
                await self.give_up()
            raise

    def unkeep(self) -> None:
        """From now on the next process does not return to this seat."""
        if self._file and self._seat:
            self._file.drop(self._seat)

    async def give_up(self) -> None:
        """Frees the seat, if there is one."""
        if self._seat is None:
            return
        try:
            await self.ask(Request("DELETE", self.at.seat(self._seat.peer), self._seat.token, timeout=GOODBYE))
        except (Problem, Unreachable):
            pass  # If this is lost, the seat ends with its lease.

    def forget(self) -> None:
        """Gives up the seat without telling the server."""
        self.unkeep()
        self._seat = None
