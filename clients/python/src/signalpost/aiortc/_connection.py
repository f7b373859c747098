"""One RTCPeerConnection with the channel for chat: the mechanics of negotiation without its decisions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Protocol

import aiortc
from aiortc.sdp import candidate_from_sdp

from .._safety_number import safety_number
from ._card import Card
from ._negotiation import belongs, sections, with_origin

log = logging.getLogger("signalpost.aiortc")

KINDS = ("audio", "video")


class Host(Protocol):
    """What a connection needs of its link."""

    def _send_description(self, type: str, sdp: str) -> None: ...

    def _connection_changed(self) -> None: ...

    def _channel_changed(self, open: bool) -> None: ...

    def _heard(self, data: str | bytes) -> None: ...

    def _track_arrived(self, track: aiortc.MediaStreamTrack) -> None: ...


class Connection:
    def __init__(
        self, host: Host, configuration: aiortc.RTCConfiguration, tracks: Sequence[aiortc.MediaStreamTrack], card: Card, receive: bool
    ) -> None:
        self._host = host
        self._receive = receive and card.sends
        self._tracks = list(tracks) if card.receives else []
        self._adding: set[asyncio.Future[None]] = set()
        self._closed = False
        self._version = 0
        #: The remote description in force, and the last remote offer that was answered.
        self.remote: str | None = None
        self.heard: str | None = None
        #: The negotiated channel, if the peer has one, and those that the peer opened.
        self._own: aiortc.RTCDataChannel | None = None
        self._theirs: list[aiortc.RTCDataChannel] = []
        #: Where the peer was heard last.
        self._latest: aiortc.RTCDataChannel | None = None
        self._open = False
        self.pc = aiortc.RTCPeerConnection(configuration)
        self.pc.on("connectionstatechange", self._state_changed)
        self.pc.on("datachannel", self._adopt)
        self.pc.on("track", self._track_arrived)
        if card.channel:
            # Negotiated, so that it exists whichever end offers.
            self._own = self.pc.createDataChannel("chat", negotiated=True, id=0)
            self._listen(self._own)

    @property
    def channel(self) -> aiortc.RTCDataChannel | None:
        """Where to send. Of several that the peer opened: the one labelled like ours, or else the newest."""
        theirs = sorted(reversed(self._theirs), key=lambda channel: channel.label != "chat")
        ready = (channel for channel in (self._latest, *theirs) if channel is not None and channel.readyState == "open")
        return next(ready, self._own)

    @property
    def state(self) -> str:
        return str(self.pc.connectionState)

    @property
    def safety_number(self) -> str | None:
        """None until both descriptions are known."""
        local = self.pc.localDescription
        return safety_number(local.sdp, self.remote) if local and self.remote else None

    def lacks_sections(self, sdp: str) -> bool:
        """Is there a track of ours for which an offer has no media section? aiortc cannot answer with such a track."""
        return any(track.kind not in sections(sdp) for track in self._tracks)

    async def offer(self) -> None:
        for track in self._tracks:
            self.pc.addTrack(track)
        # A section for each kind, so that the peer's tracks have one, too.
        sent = {track.kind for track in self._tracks}
        for kind in KINDS if sent or self._receive else ():
            if kind not in sent:
                self.pc.addTransceiver(kind, direction="recvonly" if self._receive else "inactive")
            elif not self._receive:
                self._transceiver(kind).direction = "sendonly"
        await self._describe(await self.pc.createOffer())

    async def answer(self, sdp: str, early: Sequence[dict[str, Any]]) -> None:
        await self._apply("offer", sdp, early)
        self.heard = sdp
        offered = sections(sdp)
        for track in self._tracks:
            if track.kind in offered and self._transceiver(track.kind).sender.track is None:
                self.pc.addTrack(track)
        for transceiver in () if self._receive else self.pc.getTransceivers():
            transceiver.direction = "sendonly" if transceiver.sender.track else "inactive"
        await self._describe(await self.pc.createAnswer())

    async def accept(self, sdp: str, early: Sequence[dict[str, Any]]) -> None:
        await self._apply("answer", sdp, early)

    def add(self, candidate: dict[str, Any]) -> None:
        """In the background: resolving a `.local` name takes a second where nobody answers."""
        adding = asyncio.ensure_future(self._add(candidate))
        self._adding.add(adding)
        adding.add_done_callback(self._adding.discard)

    def takes(self, candidate: dict[str, Any]) -> bool:
        return self.remote is not None and belongs(candidate, self.remote)

    async def close(self) -> None:
        self._closed = True
        for adding in self._adding:
            adding.cancel()
        for track in self._tracks:
            track.stop()
        await self.pc.close()

    def _transceiver(self, kind: str) -> aiortc.RTCRtpTransceiver:
        return next(one for one in self.pc.getTransceivers() if one.kind == kind)

    async def _apply(self, type: str, sdp: str, early: Sequence[dict[str, Any]]) -> None:
        await self.pc.setRemoteDescription(aiortc.RTCSessionDescription(sdp, type))
        self.remote = sdp
        for candidate in early:
            self.add(candidate)

    async def _describe(self, description: aiortc.RTCSessionDescription) -> None:
        # This gathers: all candidates are in the description, and none is sent by itself.
        await self.pc.setLocalDescription(description)
        local = self.pc.localDescription
        if not self._closed:
            self._version += 1
            self._host._send_description(local.type, with_origin(local.sdp, id(self), self._version))

    async def _add(self, candidate: dict[str, Any]) -> None:
        text = str(candidate.get("candidate") or "")
        # The end of candidates is not passed on: aiortc takes it as final, and it may be that of an earlier connection.
        if not text:
            return
        try:
            parsed = candidate_from_sdp(text.removeprefix("candidate:"))
            parsed.sdpMid, parsed.sdpMLineIndex = candidate.get("sdpMid"), candidate.get("sdpMLineIndex")
            if parsed.sdpMid is None and parsed.sdpMLineIndex is None:
                # All media is bundled.
                parsed.sdpMLineIndex = 0
            await self.pc.addIceCandidate(parsed)
        except Exception as error:
            # One that aiortc does not support, or for a media section that it bundles; others may do.
            log.debug("a candidate was not added: %r", error)

    def _adopt(self, channel: aiortc.RTCDataChannel) -> None:
        """A peer that does not know the negotiated channel opens its own."""
        self._theirs.append(channel)
        self._listen(channel)
        self._look()

    def _listen(self, channel: aiortc.RTCDataChannel) -> None:
        channel.on("open", self._look)
        channel.on("close", self._look)
        channel.on("message", lambda data: self._hear(channel, data))

    def _look(self) -> None:
        """Tells when it becomes possible, or impossible, to send."""
        open = self.channel is not None and self.channel.readyState == "open"
        if not self._closed and open != self._open:
            self._open = open
            self._host._channel_changed(open)

    def _track_arrived(self, track: aiortc.MediaStreamTrack) -> None:
        if not self._closed:
            self._host._track_arrived(track)

    def _hear(self, channel: aiortc.RTCDataChannel, data: str | bytes) -> None:
        if not self._closed:
            self._latest = channel
            self._host._heard(data)

    def _state_changed(self) -> None:
        if not self._closed:
            self._host._connection_changed()
