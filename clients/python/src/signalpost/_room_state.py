"""What a member knows of its room. Each change returns the events that it causes, in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._events import Event, LeaveReason, Message, Peer, PeerJoined, PeerLeft, Resumed, RoomClosed
from ._session import Entry

SIGNALS = frozenset({"offer", "answer", "candidate", "bye"})


class RoomState:
    def __init__(self, entry: Entry) -> None:
        joined = entry.joined
        self.me = Peer.of(joined["peer"])
        #: The other members.
        self.peers = _roster(joined)
        #: Peers that a server which lost its state has not listed again, with the time at which to give up on each.
        self.unconfirmed: dict[str, float] = {}
        #: Up to here the mailbox has been read.
        self.cursor: int = joined["cursor"]
        #: Signaling up to here concerns connections of a process that has ended.
        self._stale_through: int = joined["latest"] if entry.resumed else -1

    def returned(self, entry: Entry, now: float) -> list[Event]:
        """The same process took its seat again. With the old mailbox nothing was lost. With a new one, peers that are
        missing from the roster have one lease to come back, too."""
        joined = entry.joined
        readable = joined["cursor"] <= self.cursor <= joined["latest"]
        me = Peer.of(joined["peer"])
        renamed = me.id != self.me.id
        self.me = me
        if entry.resumed and readable and not renamed:
            certain = tuple(peer for peer in self.peers.values() if peer.id not in self.unconfirmed)
            return [Resumed(lost=False, renamed=False, roster=certain)]
        roster = _roster(joined)
        newcomers = [peer for peer in roster.values() if peer.id not in self.peers]
        missing = {id: peer for id, peer in self.peers.items() if id not in roster}
        deadline = now + joined["lease_ms"] / 1000
        self.unconfirmed = {id: self.unconfirmed.get(id, deadline) for id in missing}
        self.peers = {**missing, **roster}
        self.cursor = joined["cursor"]
        self._stale_through = -1
        joins: list[Event] = [PeerJoined(peer) for peer in newcomers]
        return [*joins, Resumed(lost=True, renamed=renamed, roster=tuple(roster.values()))]

    def received(self, batch: Mapping[str, Any]) -> list[Event]:
        events: list[Event] = []
        for message in batch["messages"]:
            if message["seq"] > self.cursor:
                events += self._read(message)
        self.cursor = max(self.cursor, batch["cursor"])
        return events

    def elapsed(self, now: float) -> list[Event]:
        """Gives up on peers that have not come back in time."""
        late = [id for id, deadline in self.unconfirmed.items() if deadline <= now]
        return [event for id in late for event in self._left(id, "expired")]

    @property
    def next_deadline(self) -> float | None:
        """When `elapsed` has something to do next."""
        return min(self.unconfirmed.values(), default=None)

    def _read(self, message: Mapping[str, Any]) -> list[Event]:
        kind = message.get("type")
        if kind == "peer-joined":
            return self._joined(Peer.of(message["peer"]))
        if kind == "peer-left":
            return self._left(message["peer"], message["reason"])
        if kind == "room-closed":
            return [RoomClosed()]
        # A newer server may send types that this client does not know.
        current = kind in SIGNALS and message["seq"] > self._stale_through
        if kind != "data" and not current:
            return []
        return [Message(message["seq"], message["from"], str(kind), message, self.peers.get(message["from"]))]

    def _joined(self, peer: Peer) -> list[Event]:
        known = peer.id in self.peers
        self.peers = {**self.peers, peer.id: peer}
        self.unconfirmed.pop(peer.id, None)
        return [] if known else [PeerJoined(peer)]

    def _left(self, id: str, reason: LeaveReason) -> list[Event]:
        self.unconfirmed.pop(id, None)
        peer = self.peers.get(id)
        if peer is None:
            return []
        self.peers = {other: one for other, one in self.peers.items() if other != id}
        return [PeerLeft(peer, reason)]


def _roster(joined: Mapping[str, Any]) -> dict[str, Peer]:
    return {document["id"]: Peer.of(document) for document in joined["peers"]}
