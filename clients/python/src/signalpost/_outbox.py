"""Sends one request at a time, so that messages to a peer arrive in the order in which they were put.

Messages that are put meanwhile form the next batch. Only a final refusal drops a message.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ._backoff import retry_delay
from ._events import Sent
from ._poll import loses_seat
from ._problems import Problem, Unreachable

BATCH_MESSAGES = 50
#: A little below the server's 256 KiB.
BATCH_BYTES = 250 * 1024

Receipts = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Carrier:
    #: Sends a body under a key; each retry has the same of both.
    post: Callable[[str, bytes], Awaitable[Receipts]]
    #: Returns while the seat is held.
    seated: Callable[[], Awaitable[object]]
    #: The seat is gone, or may be.
    lost: Callable[[], None]
    #: What is sent in place of a message to a peer or, with None, to all.
    seal: Callable[[str | None, Mapping[str, Any]], Mapping[str, Any]] = lambda to, message: message


@dataclass(eq=False)
class _Entry:
    to: str | None
    message: Mapping[str, Any]
    json: bytes
    future: asyncio.Future[Sent]
    #: Was in a batch that was refused, so it is now sent separately.
    alone: bool = False


class Outbox:
    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._queue: OrderedDict[_Entry, None] = OrderedDict()
        #: Recipients whose mailbox is full, and when to try them again.
        self._blocked: dict[str | None, float] = {}
        self._more = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._pumping: asyncio.Task[None] | None = None
        self._ended: Exception | None = None

    def put(self, to: str | None, message: Mapping[str, Any]) -> asyncio.Future[Sent]:
        body = self._encode(to, message)
        future: asyncio.Future[Sent] = asyncio.get_running_loop().create_future()
        if self._ended is not None:
            future.set_exception(self._ended)
            return future
        self._queue[_Entry(to, message, body, future)] = None
        self._empty.clear()
        self._more.set()
        if self._pumping is None:
            self._pumping = asyncio.ensure_future(self._pump())
        return future

    def reseal(self) -> None:
        """This member has a new id, and what is queued was sealed with the one before."""
        for entry in self._queue:
            entry.json = self._encode(entry.to, entry.message)

    async def emptied(self) -> None:
        await self._empty.wait()

    def end(self, reason: Exception) -> None:
        """Nothing is sent from now on."""
        self._ended = reason
        if self._pumping is not None:
            self._pumping.cancel()
        for entry in self._remove(list(self._queue)):
            if not entry.future.done():
                entry.future.set_exception(reason)

    def _encode(self, to: str | None, message: Mapping[str, Any]) -> bytes:
        sealed = self._carrier.seal(to, message)
        addressed = dict(sealed) if to is None else {"to": to, **sealed}
        return json.dumps(addressed, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()

    async def _pump(self) -> None:
        try:
            while True:
                # Messages that are put before the loop turns form one batch.
                await asyncio.sleep(0)
                self._more.clear()
                batch = self._next()
                await (self._deliver(batch) if batch else self._changed())
        except Exception as error:
            # A defect. Those who wait for a message get the error.
            self._pumping = None
            self.end(error)
            raise

    async def _changed(self) -> None:
        """Returns when a message may have become sendable."""
        until = min(self._blocked.values(), default=None) if self._queue else None
        timeout = None if until is None else max(0.0, until - time.monotonic())
        try:
            await asyncio.wait_for(self._more.wait(), timeout)
        except asyncio.TimeoutError:
            pass

    def _next(self) -> list[_Entry]:
        """The longest batch from the front of the queue in which no message overtakes another for the same peer."""
        now = time.monotonic()
        self._blocked = {to: until for to, until in self._blocked.items() if until > now}
        batch: list[_Entry] = []
        cancelled: list[_Entry] = []
        size, skipped = 0, False
        for entry in self._queue:
            if entry.future.done():
                cancelled.append(entry)
                continue
            if entry.to in self._blocked:
                if entry.to is None:
                    break
                skipped = True
                continue
            if entry.to is None and skipped:
                break
            full = len(batch) == BATCH_MESSAGES or size + len(entry.json) + 1 > BATCH_BYTES
            if batch and (entry.alone or full):
                break
            batch.append(entry)
            size += len(entry.json) + 1
            if entry.alone:
                break
        self._remove(cancelled)
        return batch

    async def _deliver(self, batch: list[_Entry]) -> None:
        key = str(uuid.uuid4())
        failures = 0
        while True:
            await self._carrier.seated()
            # The same bytes in each attempt, unless they were sealed again: then the server has forgotten the attempts before.
            body = b'{"messages":[' + b",".join(entry.json for entry in batch) + b"]}"
            try:
                return self._settle(batch, await self._carrier.post(key, body))
            except (Problem, Unreachable) as error:
                if loses_seat(error):
                    self._carrier.lost()
                elif self._refused(batch, error):
                    return
                else:
                    await asyncio.sleep(retry_delay(error, failures) or 0)
            failures += 1

    def _refused(self, batch: list[_Entry], error: Problem | Unreachable) -> bool:
        """Is an error final for this batch? A batch that was refused because of one message is split."""
        delay = retry_delay(error, 0)
        full = isinstance(error, Problem) and error.slug == "mailbox-full"
        if delay is not None and not full:
            return False
        if len(batch) > 1:
            for entry in batch:
                entry.alone = True
        elif full:
            self._blocked[batch[0].to] = time.monotonic() + (delay or 0)
        else:
            self._remove(batch)
            if not batch[0].future.done():
                batch[0].future.set_exception(error)
        return True

    def _settle(self, batch: list[_Entry], accepted: Receipts) -> None:
        """Receipts are in the order of the batch. A message to all has one for each other member, and because a batch is
        atomic, each such message has the same number."""
        direct = sum(entry.to is not None for entry in batch)
        others = (len(accepted) - direct) // max(1, len(batch) - direct)
        at = 0
        for entry in self._remove(batch):
            count = others if entry.to is None else 1
            receipts = tuple(accepted[at : at + count])
            at += count
            if not entry.future.done():
                seq = receipts[0]["seq"] if entry.to is not None and receipts else None
                entry.future.set_result(Sent(seq, receipts))

    def _remove(self, entries: list[_Entry]) -> list[_Entry]:
        for entry in entries:
            self._queue.pop(entry, None)
        if not self._queue:
            self._empty.set()
        return entries
