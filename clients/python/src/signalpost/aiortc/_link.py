"""The connection with one peer, through any number of RTCPeerConnections."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import aiortc

from .._events import Message, Peer, Trouble
from ._card import Card
from ._connection import Connection
from ._negotiation import View, belongs, candidates_in, judge, ufrag_of
from ._patience import MAX_ATTEMPTS, Phase, Watch
from ._whip import Heartbeat, mark_of, whip_role

log = logging.getLogger("signalpost.aiortc")

# The aliases are documented in `__init__.py`, as those of `_events.py`.
LinkState = Literal["waiting", "connecting", "connected", "interrupted", "failed", "closed"]
Verified = Literal["key", "compared", False]

#: Candidates that may wait for their description: more than anybody gathers for one.
MAX_EARLY = 128
#: A description follows its first candidates sooner than this.
RECENT = 10.0
#: How long the end of a link waits for its connections to be closed.
CLOSING = 5.0
#: How many connections of a link may be closing at a time.
MAX_CLOSING = 3


class LinkHost(Protocol):
    """What a link needs of its call."""

    receive: bool

    @property
    def _configuration(self) -> aiortc.RTCConfiguration: ...

    def _subscribe(self) -> Sequence[aiortc.MediaStreamTrack]:
        """The tracks to send, for one connection."""

    def _is_polite(self, peer: Peer) -> bool: ...

    def _can_signal(self) -> bool: ...

    def _is_sealed(self) -> bool: ...

    def _trouble(self, peer: Peer) -> Trouble | None: ...

    @property
    def _lease(self) -> float: ...

    def _dismiss(self, peer: Peer, reason: str, mark: Mapping[str, str]) -> None: ...

    def _is_there(self, peer: Peer) -> None: ...

    def _describe(self, peer: Peer, type: str, sdp: str, mark: Mapping[str, str]) -> None: ...

    def _happened(self, event: str, peer: Peer, detail: Any) -> None: ...

    def _ended(self, link: Link) -> None:
        """Its peer has departed, or has to call anew, and now its connection is gone, too."""


class Link:
    """The connection with one peer of a call, made by `Call`."""

    peer: Peer
    """Who."""
    state: LinkState
    """How far it is."""
    departed: bool
    """The peer is no longer a member, as far as is known: the link lasts for as long as it works."""

    def __init__(self, host: LinkHost, peer: Peer) -> None:
        self.peer = peer
        self.state = "waiting"
        self.departed = False
        self._host = host
        self._card = Card.of(peer.metadata)
        #: For a peer that calls by WHIP: this end answers, and never offers.
        self._heartbeat = Heartbeat(lambda: host._is_there(peer), host._lease) if whip_role(peer) else None
        #: Names the peer's last offer.
        self._mark: Mapping[str, str] = {}
        self._connection: Connection | None = None
        self._compared: str | None = None
        self._closing: set[asyncio.Future[None]] = set()
        self._early: list[dict[str, Any]] = []
        #: Those that do not name their description, and when they came: they were added to the connection that there is, but may
        #: belong to the next.
        self._unnamed: list[tuple[dict[str, Any], float]] = []
        self._watch = Watch(lambda: host._is_polite(peer), self._repair)
        self._steps: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._working = asyncio.ensure_future(self._work())

    @property
    def pc(self) -> aiortc.RTCPeerConnection | None:
        """None while waiting; a repair may replace it."""
        return self._connection.pc if self._connection else None

    @property
    def channel(self) -> aiortc.RTCDataChannel | None:
        """Where `say` sends: where the peer was heard last, or a channel that it opened, or the negotiated one (id 0)."""
        return self._connection.channel if self._connection else None

    def say(self, text: str | bytes) -> bool:
        """Sends a text on the channel. Returns whether it was open."""
        channel = self.channel
        if channel is None or channel.readyState != "open":
            return False
        channel.send(text)
        return True

    def _expect(self) -> None:
        """The peer has just joined and is going to offer."""
        self._steps.put_nowait(self._drop)
        self._watch.begin("waiting")
        self._enter("waiting")

    def offer(self) -> None:
        """Replaces the connection, beginning with an offer."""
        if self._heartbeat:
            return self._refer()
        self._watch.attempts = 0
        self._steps.put_nowait(self._replace)

    def _take(self, message: Message) -> None:
        if message.type != "candidate":
            self._steps.put_nowait(lambda: self._description(message))
        elif message.candidate is not None:
            candidate = message.candidate
            self._steps.put_nowait(lambda: self._candidate(candidate))

    @property
    def trouble(self) -> Trouble | None:
        """What the peer lacks in a sealed room: nothing it sends is used, and it can read nothing."""
        return self._host._trouble(self.peer)

    @property
    def safety_number(self) -> str | None:
        """The same at both ends if nobody is in between. None until both descriptions are known."""
        return self._connection.safety_number if self._connection else None

    @property
    def verified(self) -> Verified:
        """Whether it is known that nobody is in between, and why."""
        number = self.safety_number
        if number is None:
            return False
        if number == self._compared:
            return "compared"
        return "key" if self._host._is_sealed() else False

    def mark_compared(self) -> None:
        """The number of now is the one that the peer sees. A connection with other certificates has to be compared again."""
        self._compared = self.safety_number

    def _depart(self) -> bool:
        """The peer is gone from the room. A working connection is left alone. Returns whether there is one."""
        self.departed = True
        return self.state == "connected"

    async def _close(self) -> None:
        if self.state == "closed":
            return
        self._enter("closed")
        self._watch.rest()
        self._working.cancel()
        await self._drop()
        if self._closing:
            await asyncio.wait(set(self._closing), timeout=CLOSING)

    # Negotiation. Its steps run one at a time.

    async def _work(self) -> None:
        while True:
            step = await self._steps.get()
            try:
                await step()
            except Exception:
                # A description that aiortc rejects is treated like a lost one: the watch begins anew.
                log.warning("the negotiation with %s failed", self.peer.id, exc_info=True)

    async def _description(self, message: Message) -> None:
        type, sdp = message.type, message.sdp
        connection = self._connection
        signaling = connection.pc.signalingState if connection else "closed"
        remote, heard = (connection.remote, connection.heard) if connection else (None, None)
        verdict = judge(View(self._host._is_polite(self.peer), signaling, remote, heard), type, sdp)
        log.debug("%s from %s: %s", type, self.peer.id, verdict)
        if verdict == "drop":
            return
        if verdict == "repeated" and connection is not None:
            for candidate in candidates_in(sdp):
                connection.add(candidate)
            return
        if type == "offer":
            self._mark = mark_of(message)
        if verdict == "replace":
            return self._refer() if self._heartbeat else await self._replace()
        if verdict == "renew":
            await self._renew()
        if self.state != "connected":
            self._watch.begin("ignored" if verdict == "ignore" else "answered" if self._heartbeat else "connecting")
        if verdict == "ignore" or self._connection is None:
            return
        if verdict == "accept":
            return await self._connection.accept(sdp, self._take_early(sdp))
        # If the offer has no section for one of our tracks, only an offer of ours brings it across. A polite peer gives way to
        # that; any other has to be answered first.
        lacking = self._connection.lacks_sections(sdp) and self._card.renegotiates
        if not lacking or self._host._is_polite(self.peer):
            await self._connection.answer(sdp, self._take_early(sdp))
        if lacking:
            await self._replace()

    async def _candidate(self, candidate: dict[str, Any]) -> None:
        if self._connection is not None and self._connection.takes(candidate):
            if ufrag_of(candidate) is None:
                self._unnamed = [*self._unnamed, (candidate, asyncio.get_running_loop().time())][-MAX_EARLY:]
            return self._connection.add(candidate)
        self._early = [*self._early, candidate][-MAX_EARLY:]

    def _take_early(self, sdp: str) -> list[dict[str, Any]]:
        ours = [candidate for candidate in self._early if belongs(candidate, sdp)]
        self._early = [candidate for candidate in self._early if not belongs(candidate, sdp)]
        unnamed, self._unnamed = self._unnamed, []
        if self._connection is None or self._connection.remote is not None:
            return ours
        since = asyncio.get_running_loop().time() - RECENT
        return [candidate for candidate, at in unnamed if at >= since] + ours

    async def _replace(self) -> None:
        await self._renew()
        if self._connection is not None:
            await self._connection.offer()

    async def _renew(self) -> None:
        await self._drop()
        self._watch.begin("connecting")
        self._connection = Connection(self, self._host._configuration, self._host._subscribe(), self._card, self._host.receive)
        self._enter("connecting")

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # In the background: to give back a relay that cannot be reached takes a minute.
            closing = asyncio.ensure_future(connection.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closed)
            # From here on it reports nothing.
            await asyncio.sleep(0)
            # A peer that keeps making new connections waits until old ones are closed.
            if len(self._closing) > MAX_CLOSING:
                await asyncio.wait(set(self._closing), return_when=asyncio.FIRST_COMPLETED, timeout=CLOSING)

    def _closed(self, closing: asyncio.Future[None]) -> None:
        self._closing.discard(closing)
        if not closing.cancelled() and (error := closing.exception()):
            log.warning("a connection with %s was not closed properly", self.peer.id, exc_info=error)

    # Repair.

    def _repair(self, phase: Phase) -> None:
        # No signaling would arrive now.
        if not self._host._can_signal():
            return self._watch.begin(phase)
        if self._heartbeat:
            return self._refer()
        self._watch.attempts += 1
        if self._watch.attempts <= MAX_ATTEMPTS:
            return self._steps.put_nowait(self._replace)
        self._steps.put_nowait(self._drop)
        self._watch.rest()
        self._enter("failed")

    def _refer(self) -> None:
        """The peer has to call anew."""
        self._host._dismiss(self.peer, "failed", self._mark)
        self._host._ended(self)

    def _enter(self, state: LinkState) -> None:
        if self.state in (state, "closed"):
            return
        self.state = state
        if self._heartbeat:
            self._heartbeat.begin() if state == "connected" else self._heartbeat.end()
        self._host._happened("link", self.peer, state)

    # What the connection tells.

    def _send_description(self, type: str, sdp: str) -> None:
        self._host._describe(self.peer, type, sdp, self._mark)

    def _connection_changed(self) -> None:
        state = self._connection.state if self._connection else "closed"
        if state == "connected":
            self._watch.calm()
            self._enter("connected")
        elif state in ("failed", "closed"):
            if self.departed:
                return self._host._ended(self)
            if self._heartbeat:
                return self._refer()
            if self.state == "connected":
                self._enter("interrupted")
            self._watch.begin("interrupted")

    def _channel_changed(self, open: bool) -> None:
        self._host._happened("channel", self.peer, open)

    def _heard(self, data: str | bytes) -> None:
        self._host._happened("chat", self.peer, data)

    def _track_arrived(self, track: aiortc.MediaStreamTrack) -> None:
        self._host._happened("track", self.peer, track)
