"""A member with a call, and what its call emits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import aiortc

import signalpost
from signalpost.aiortc import Call


class Member:
    """`async with Member(base, name, tracks)` joins and calls."""

    def __init__(self, base: str, name: str, tracks: Sequence[aiortc.MediaStreamTrack] = (), rtc: dict[str, Any] | None = None, key: str | None = None, **options: Any) -> None:
        metadata = None if rtc is None else {"rtc": rtc}
        self._joining = signalpost.join(base, "tea", name=name, metadata=metadata, key=key, capacity=4)
        self._tracks = tracks
        self._options = options
        self._seen: list[tuple[str, Any]] = []
        self._more = asyncio.Event()

    async def __aenter__(self) -> Member:
        self.room = await self._joining
        self.call = Call(self.room, self._tracks, **self._options)
        for event in ("track", "chat", "channel", "link", "bye"):
            self.call.on(event, lambda peer, detail, event=event: self._note(event, peer.name, detail))
        self.call.on("room", lambda event: self._note("room", type(event).__name__, event))
        self.call.start()
        return self

    async def __aexit__(self, *ending: object) -> None:
        await self.call.hang_up()
        await self.room.leave()

    def _note(self, *event: Any) -> None:
        self._seen.append((event[0], event[1:]))
        self._more.set()

    async def next(self, event: str, *wanted: Any) -> Any:
        """The next event that begins like this, past events included unless already returned. Returns its last detail."""
        while True:
            for at, (name, details) in enumerate(self._seen):
                if name == event and details[: len(wanted)] == wanted:
                    del self._seen[at]
                    return details[-1]
            self._more.clear()
            await self._more.wait()

    def link(self, other: Member) -> Any:
        return self.call.links[other.room.me.id]


async def chat(one: Member, other: Member, text: str) -> None:
    """Both ways. The channels are open."""
    for source, target in ((one, other), (other, one)):
        assert source.link(target).say(text)
        assert await target.next("chat", source.room.me.name) == text


async def connected(one: Member, other: Member) -> None:
    await one.next("channel", other.room.me.name, True)
    await other.next("channel", one.room.me.name, True)
