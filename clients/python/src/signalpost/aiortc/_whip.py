"""Peers that call by plain HTTP (docs/whip.md): encoders by WHIP, players by WHEP. They make the only offer, and are never offered to."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Literal

from .._events import Message, Peer

#: The server gives such ids to these peers, and to nobody else: a card can say anything.
WHIP_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8")


def whip_role(peer: Peer) -> Literal["encoder", "player"] | None:
    """None for any other peer."""
    role = peer.metadata.get("whip") if isinstance(peer.metadata, dict) else None
    if not WHIP_ID.match(peer.id):
        return None
    return "encoder" if role == "encoder" else "player" if role == "player" else None


def mark_of(message: Message | None) -> dict[str, str]:
    """What names an offer of such a peer, to be repeated in what is said about it: the peer keeps its id when it calls again, so an
    answer or a goodbye that is late would be taken for one to its later offer."""
    if message is None or message.type != "offer" or message.peer is None or not whip_role(message.peer):
        return {}
    call = message.members.get("call")
    return {"call": call} if isinstance(call, str) else {}


class Heartbeat:
    """Tells the server that the connection is there: the peer does not poll, and its seat lasts for as long as this is told."""

    def __init__(self, beat: Callable[[], None], lease: float) -> None:
        self._beat = beat
        self._period = lease / 3
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        if self._timer is None:
            self._next()

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def _next(self) -> None:
        self._beat()
        self._timer = asyncio.get_running_loop().call_later(self._period, self._next)
