"""A call with everybody in a room."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import Any

import aiortc
from aiortc.contrib.media import MediaRelay
from aiortc.rtcicetransport import parse_stun_turn_uri
from pyee.asyncio import AsyncIOEventEmitter

from .._events import Event, IceServersChanged, Message, Peer, PeerJoined, PeerLeft, Resumed, Sent, StateChanged, Trouble
from .._room import Room
from ._link import Link
from ._negotiation import is_polite
from ._whip import mark_of, whip_role

log = logging.getLogger("signalpost")

#: How long hanging up may wait for the server to accept the goodbye.
FAREWELL = 2.0


class Call(AsyncIOEventEmitter):
    """A call with everybody in a room: one `Link` for each. A peer that joins makes the offers.

    The call reads the room's events, so do not iterate over the room as well. It emits, as aiortc does:

    * `track` (peer, track), `chat` (peer, text), `channel` (peer, open), `link` (peer, state), `bye` (peer, reason);
    * `room` (event) for each event of the room.
    """

    room: Room
    """The room in which the call is."""
    receive: bool
    """False for a peer that does not want the others' media."""

    def __init__(
        self, room: Room, tracks: Sequence[aiortc.MediaStreamTrack] = (), *, receive: bool = True, ice_servers: Sequence[Mapping[str, Any]] | None = None
    ) -> None:
        """
        :param tracks: at most one of each kind, which everybody is sent
        :param receive: false for a peer that does not want the others' media
        :param ice_servers: instead of the room's
        """
        super().__init__()
        self.room = room
        self._tracks = tuple(tracks)
        # Several connections send the same track.
        self._relay = MediaRelay()
        self.receive = receive
        self._ice_servers = ice_servers
        self._links: dict[str, Link] = {}
        #: Links to peers by ids from before a restart of the server, until the same peers are connected again.
        self._orphans: list[Link] = []
        self._closing: set[asyncio.Future[None]] = set()
        self._running: asyncio.Task[None] | None = None

    @property
    def links(self) -> Mapping[str, Link]:
        """By peer id."""
        return MappingProxyType(self._links)

    async def __aenter__(self) -> Call:
        self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.hang_up()

    def start(self) -> None:
        """Connects with everybody, present and future."""
        if self._running is not None:
            raise RuntimeError("The call has been started.")
        self._running = asyncio.ensure_future(self._run())
        for peer in self.room.peers.values():
            if whip_role(peer) is None:
                self._link(peer).offer()
            elif self.room.returned:
                # The connection with it went with the process before: it has to call anew.
                self._dismiss(peer, "reloaded")

    async def wait(self) -> None:
        """Returns at the end of the room or of the call."""
        if running := self._running:
            await asyncio.wait({running})

    def say(self, text: str | bytes) -> int:
        """Sends a text on every open channel. Returns how many there were."""
        return sum([link.say(text) for link in self._links.values()])

    async def hang_up(self, reason: str | None = None) -> None:
        """Tells the others and ends the call. This member stays in the room.

        If the server does not accept the goodbye within two seconds, the call ends all the same, and the room keeps trying to send it.
        """
        if self._links and self._running is not None and not self._running.done():
            members = {} if reason is None else {"reason": reason}
            await asyncio.wait({self._post(None, "bye", **members)}, timeout=FAREWELL)
        await self.close()

    async def close(self) -> None:
        """Ends the call without telling anybody. It can be started again; meanwhile nobody reads the room."""
        running, self._running = self._running, None
        if running is not None and running is not asyncio.current_task():
            running.cancel()
        for link in list(self._links.values()):
            self._shut(link)
        if self._closing:
            await asyncio.wait(set(self._closing))

    async def _run(self) -> None:
        try:
            async for event in self.room:
                self._take(event)
                self.emit("room", event)
        finally:
            for link in list(self._links.values()):
                self._shut(link)

    def _take(self, event: Event) -> None:
        if isinstance(event, Message):
            self._heard(event)
        elif isinstance(event, PeerJoined):
            # One that calls by WHIP calls perhaps somebody else.
            if whip_role(event.peer):
                return
            link = self._link(event.peer)
            link.departed = False
            if link.state != "connected":
                link._expect()
        elif isinstance(event, PeerLeft):
            gone = self._links.get(event.peer.id)
            # If only its lease has expired, the connection may still work.
            if gone is not None and (event.reason != "expired" or not gone._depart()):
                self._shut(gone)
        elif isinstance(event, Resumed):
            self._resumed(event)
        elif isinstance(event, StateChanged) and event.state == "connected":
            for link in [one for one in self._links.values() if one.state == "failed"]:
                link.offer()

    def _heard(self, message: Message) -> None:
        peer = message.peer
        if peer is None or message.type == "data":
            return
        if message.type == "offer" and self._has_nothing_for(peer):
            return self._dismiss(peer, "declined", mark_of(message))
        if message.type != "bye":
            return self._link(peer)._take(message)
        if link := self._links.get(peer.id):
            self._shut(link)
        self.emit("bye", peer, message.reason)

    def _resumed(self, event: Resumed) -> None:
        if not event.lost:
            return
        here = {peer.id for peer in event.roster}
        if event.renamed:
            departed = [link for link in self._links.values() if link.peer.id not in here]
            self._orphans += [link for link in departed if link._depart()]
        # These peers came back before this one did, so earlier messages to them may be lost.
        for peer in event.roster:
            if whip_role(peer) is None and self._link(peer).state != "connected":
                self._link(peer).offer()

    def _has_nothing_for(self, peer: Peer) -> bool:
        """An encoder where nothing is received, or a player where nothing is sent."""
        role = whip_role(peer)
        return (role == "encoder" and not self.receive) or (role == "player" and not self._tracks)

    def _link(self, peer: Peer) -> Link:
        return self._links.setdefault(peer.id, self._links.get(peer.id) or Link(self, peer))

    def _shut(self, link: Link) -> None:
        if self._links.get(link.peer.id) is link:
            del self._links[link.peer.id]
        closing = asyncio.ensure_future(link._close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    # What a link needs.

    @property
    def _lease(self) -> float:
        return self.room.lease

    def _dismiss(self, peer: Peer, reason: str, mark: Mapping[str, str] = MappingProxyType({})) -> None:
        self._post(peer, "bye", reason=reason, **mark)

    def _is_there(self, peer: Peer) -> None:
        self._post(peer, "data", data={"whip": "alive"})

    @property
    def _configuration(self) -> aiortc.RTCConfiguration:
        servers = self.room.ice_servers if self._ice_servers is None else self._ice_servers
        usable = [{**server, "urls": _usable(server["urls"])} for server in servers]
        known = ("urls", "username", "credential")
        given = [{member: server[member] for member in known if member in server} for server in usable if server["urls"]]
        # Without a list, aiortc would ask a STUN server of its own choice.
        return aiortc.RTCConfiguration(iceServers=[aiortc.RTCIceServer(**server) for server in given])

    def _subscribe(self) -> Sequence[aiortc.MediaStreamTrack]:
        return [self._relay.subscribe(track) for track in self._tracks]

    def _is_polite(self, peer: Peer) -> bool:
        return is_polite(self.room.me, self.room.peers.get(peer.id, peer))

    def _can_signal(self) -> bool:
        return self.room.state == "connected"

    def _is_sealed(self) -> bool:
        return self.room.key is not None

    def _trouble(self, peer: Peer) -> Trouble | None:
        return self.room.troubles.get(peer.id)

    def _describe(self, peer: Peer, type: str, sdp: str, mark: Mapping[str, str]) -> None:
        # The link's patience makes up for a description that cannot be delivered.
        self._post(peer, type, sdp=sdp, **mark)

    def _post(self, to: Peer | None, type: str, **members: Any) -> asyncio.Future[Sent]:
        """A message that nobody has to wait for: if it fails, that is not reported."""
        sent = self.room.send(to, type, **members)
        sent.add_done_callback(lambda future: future.cancelled() or future.exception())
        return sent

    def _happened(self, event: str, peer: Peer, detail: Any) -> None:
        self.emit(event, peer, detail)
        if (event, detail) == ("link", "connected"):
            self._release_orphans()

    def _ended(self, link: Link) -> None:
        self._shut(link)

    def _emit_run(self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """A listener that raises is reported, and ends neither the call nor a connection."""
        try:
            super()._emit_run(f, args, kwargs)
        except Exception as error:
            asyncio.get_running_loop().call_exception_handler({"message": "a listener of the call raised", "exception": error})

    def _release_orphans(self) -> None:
        connected = [link for link in self._links.values() if link.state == "connected" and not link.departed]
        if len(connected) >= len(self._orphans):
            for orphan in self._orphans:
                self._shut(orphan)
            self._orphans = []


def _usable(urls: str | Sequence[str]) -> list[str]:
    """Those that aiortc takes: one with an IPv6 address, among others, would keep it from connecting at all."""
    usable = []
    for url in [urls] if isinstance(urls, str) else urls:
        try:
            parse_stun_turn_uri(url)
            usable.append(url)
        except ValueError:
            log.debug("aiortc cannot use the ICE server %s", url)
    return usable
