"""The events that a program has not read yet."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable

from ._events import Event

#: A program that is further behind reads no more from the server, until it has caught up.
MAX_BEHIND = 1_000


class EventStream:
    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._ended = False

    def put(self, events: Iterable[Event]) -> None:
        self._events.extend(events)
        if len(self._events) >= MAX_BEHIND:
            self._room.clear()
        self._changed.set()

    def end(self) -> None:
        """What was put is still read."""
        self._ended = True
        self._room.set()
        self._changed.set()

    async def next(self) -> Event:
        while not self._events:
            if self._ended:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        event = self._events.popleft()
        if len(self._events) < MAX_BEHIND:
            self._room.set()
        return event

    async def has_room(self, timeout: float) -> bool:
        if not self._room.is_set():
            try:
                await asyncio.wait_for(self._room.wait(), timeout)
            except asyncio.TimeoutError:
                return False
        return True
