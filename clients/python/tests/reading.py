"""Waits for events of a room."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import signalpost

Kind = TypeVar("Kind", bound=signalpost.Event)


async def following(room: signalpost.Room, kind: type[Kind], wanted: Callable[[Kind], bool] = lambda event: True) -> Kind:
    """The next event of a kind."""
    async for event in room:
        if isinstance(event, kind) and wanted(event):
            return event
    raise AssertionError(f"the room ended ({room.state}) before {kind.__name__}")


async def becomes(room: signalpost.Room, state: signalpost.RoomStatus) -> signalpost.StateChanged:
    return await following(room, signalpost.StateChanged, lambda event: event.state == state)
