"""aiortc's own interface for signaling, as its examples use it, for two peers in a room."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import aiortc
from aiortc.contrib.signaling import BYE, BaseSignaling, SignalingBye
from aiortc.sdp import candidate_from_sdp, candidate_to_sdp

from .._events import Message, Peer, PeerJoined, PeerLeft
from .._problems import RoomEnded, SignalpostError
from .._room import Room, join

log = logging.getLogger("signalpost")

Signal = aiortc.RTCSessionDescription | aiortc.RTCIceCandidate | SignalingBye


class SignalpostSignaling(BaseSignaling):
    """What aiortc's examples expect of signaling, with two peers in a room: the other is the first one found there."""

    def __init__(self, base: str, room: str, **options: Any) -> None:
        """Takes the options of `signalpost.join`."""
        self._joining = join(base, room, **options)
        self._room: Room | None = None
        self._other: Peer | None = None
        self._found = asyncio.Event()
        self._signals: asyncio.Queue[Signal | None] = asyncio.Queue()
        self._reading: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Joins the room."""
        self._room = await self._joining
        for peer in self._room.peers.values():
            self._meet(peer)
        self._reading = asyncio.ensure_future(self._read(self._room))

    async def close(self) -> None:
        """Says goodbye, and leaves the room."""
        if self._room is None:
            return
        if self._other is not None:
            # Delivered by `leave`, unless the other has left before.
            self._room.send(self._other, "bye").add_done_callback(lambda future: future.cancelled() or future.exception())
        room, self._room = self._room, None
        await room.leave()

    async def send(self, descr: Signal) -> None:
        """Sends a description, a candidate or a goodbye, once somebody is there."""
        room = self._room
        if room is None:
            raise RuntimeError("connect() first")
        await self._found.wait()
        if self._other is None:
            raise RoomEnded("superseded" if room.state == "superseded" else "kicked" if room.state == "kicked" else "closed")
        if isinstance(descr, aiortc.RTCSessionDescription):
            await room.send(self._other, descr.type, sdp=descr.sdp)
        elif isinstance(descr, aiortc.RTCIceCandidate):
            text = "candidate:" + candidate_to_sdp(descr)
            candidate = {"candidate": text, "sdpMid": descr.sdpMid, "sdpMLineIndex": descr.sdpMLineIndex}
            await room.send(self._other, "candidate", candidate=candidate)
        else:
            await room.send(self._other, "bye")

    async def receive(self) -> Signal | None:
        """The next description, candidate or goodbye of the other peer; None at the end of the room."""
        return await self._signals.get()

    def _meet(self, peer: Peer) -> None:
        if self._other is None:
            self._other = peer
            self._found.set()

    async def _read(self, room: Room) -> None:
        try:
            async for event in room:
                if isinstance(event, PeerJoined):
                    self._meet(event.peer)
                elif isinstance(event, PeerLeft) and self._other is not None and event.peer.id == self._other.id:
                    self._signals.put_nowait(BYE)
                elif isinstance(event, Message) and self._other is not None and event.sender == self._other.id:
                    self._put(event)
        except SignalpostError:
            pass
        finally:
            self._signals.put_nowait(None)
            self._found.set()

    def _put(self, message: Message) -> None:
        if message.type in ("offer", "answer"):
            self._signals.put_nowait(aiortc.RTCSessionDescription(message.sdp, message.type))
        elif message.type == "bye":
            self._signals.put_nowait(BYE)
        elif message.type == "candidate" and (message.candidate or {}).get("candidate"):
            document = message.candidate or {}
            try:
                candidate = candidate_from_sdp(str(document["candidate"]).removeprefix("candidate:"))
            except Exception as error:
                return log.debug("a candidate was not understood: %r", error)
            candidate.sdpMid, candidate.sdpMLineIndex = document.get("sdpMid"), document.get("sdpMLineIndex")
            self._signals.put_nowait(candidate)
