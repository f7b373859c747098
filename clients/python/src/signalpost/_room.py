"""A room as one member sees it."""

from __future__ import annotations

import asyncio
import logging
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Generator, Mapping
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any

import aiohttp

from ._endpoints import endpoints
from ._events import Event, IceServersChanged, Peer, Resumed, RoomClosed, RoomStatus, Sent, StateChanged, Trouble, TroubleChanged
from ._http import Http, Request
from ._ice import IceServers, Servers
from ._membership import Listener, Membership
from ._outbox import Carrier, Outbox, Receipts
from ._problems import Ending, Problem, RoomEnded, Unreachable
from ._room_state import RoomState
from ._seat import Seat, SeatFile
from ._session import Entry, OnRetry, Session
from ._stream import EventStream

if TYPE_CHECKING:
    from ._sealing import Sealing

log = logging.getLogger("signalpost")
# Nothing is printed unless the application wants it.
log.addHandler(logging.NullHandler())

#: How long an arrival may wait for the TURN credentials of the call with it.
EQUIP = 3.0
#: How long leaving may wait for messages that are still queued: a bad connection needs some attempts.
FLUSH = 10.0


class Room:
    """A room as one member sees it, made by `join`.

    Iterate over it to read its events: the room reads no further ahead than 1,000 of them.
    """

    name: str
    """The room's name."""
    created: bool
    """Whether this join created it."""
    returned: bool
    """Whether this process has a seat that an earlier one had."""
    lease: float
    """How long a seat lasts without a poll, in seconds."""

    def __init__(self, session: Session, entry: Entry) -> None:
        self._session = session
        self._sealing = session.sealing
        self._known = RoomState(entry)
        self._stream = EventStream()
        self._state: RoomStatus = "connected"
        self.name = entry.joined["room"]
        self.created = entry.joined["created"]
        self.returned = entry.resumed
        self.lease = entry.joined["lease_ms"] / 1000
        listener = Listener(lambda: self._known.cursor, self._entered, self._received, self._has_room, self._changed, self._end)
        self._membership = Membership(session, listener)
        self._outbox = Outbox(Carrier(self._post, self._membership.seated, self._membership.lost, self._seal))
        self._ice = IceServers(self._ask_ice_servers, self._ice_changed)
        self._expiry: asyncio.TimerHandle | None = None
        self._leaving: asyncio.Future[None] | None = None
        self._equip(entry)
        self._stream.put(self._troubles())
        self._keeping = asyncio.ensure_future(self._membership.keep(entry.joined["wait_max_ms"] / 1000))

    def __repr__(self) -> str:
        return f"<signalpost.Room {self.name!r} {self._state}>"

    @property
    def me(self) -> Peer:
        """This member."""
        return self._known.me

    @property
    def peers(self) -> Mapping[str, Peer]:
        """The other members, by id."""
        return MappingProxyType(self._known.peers)

    @property
    def state(self) -> RoomStatus:
        """Of the connection with the server, or how the room ended."""
        return self._state

    @property
    def seat(self) -> Seat:
        """With this, the next process can return to the same seat: `join(…, seat=seat)`."""
        return self._session.seat

    @property
    def key(self) -> str | None:
        """What the others need to be in this sealed room, as base64url; None if the room is not sealed."""
        return self._sealing.key.text if self._sealing else None

    @property
    def troubles(self) -> Mapping[str, Trouble]:
        """What peers of a sealed room lack, by id: nothing they send is used, and they can read nothing."""
        return MappingProxyType(self._sealing.troubles if self._sealing else {})

    @property
    def ice_servers(self) -> Servers:
        """Objects like `RTCIceServer`. Credentials are renewed before they expire: see `IceServersChanged`."""
        return self._ice.current

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        """Ends after the event about the room's final state."""
        return await self._stream.next()

    def send(self, to: Peer | str | None, type: str, **members: Any) -> asyncio.Future[Sent]:
        """Puts a message into the mailbox of one peer or, with None, of all others.

        `await room.send(peer, "data", data="hi")`; likewise `sdp` for `offer` and `answer`, `candidate`, and `reason` for
        `bye`. Messages to a peer arrive in the order of these calls, whether or not they are awaited. Raises `Problem` if
        the server refuses the message for good, `RoomEnded` if the room ends first. What is cancelled before it was sent
        is not sent. In a sealed room a message has no members besides these, because the server could read them.
        """
        return self._outbox.put(to.id if isinstance(to, Peer) else to, {"type": type, **members})

    async def leave(self) -> None:
        """Sends what is queued, for ten seconds at most, gives up the seat and tells the others. Goes on if this is cancelled."""
        if self._leaving is None:
            self._leaving = asyncio.ensure_future(self._leave())
        await asyncio.shield(self._leaving)

    async def _leave(self) -> None:
        if not self._is_over:
            # Joining again before this is done makes a new peer.
            self._session.unkeep()
            await asyncio.wait({flush := asyncio.ensure_future(self._outbox.emptied())}, timeout=FLUSH)
            flush.cancel()
        if not self._is_over:
            self._end("closed")
            await self._session.give_up()
        await self._session.http.close()

    async def detach(self) -> Seat:
        """Ends here and keeps the seat for its lease, so that the next process can return to it."""
        self._end("closed", keep=True)
        await self._session.http.close()
        return self._session.seat

    async def close(self) -> None:
        """Ends the room for all. Only its creator can."""
        token = self._session.seat.room_token
        if token is None:
            raise RuntimeError("Only the creator of a room can close it.")
        await self._session.persist(Request("DELETE", self._session.at.root, token))

    # What the membership needs.

    def _entered(self, entry: Entry) -> None:
        self._equip(entry)
        events = self._known.returned(entry, asyncio.get_running_loop().time())
        if any(isinstance(event, Resumed) and event.renamed for event in events):
            self._outbox.reseal()
        self._tell([*events, *self._troubles()])

    async def _received(self, batch: Mapping[str, Any]) -> None:
        arrives = any(message.get("type") == "peer-joined" for message in batch["messages"])
        if arrives and self._ice.withheld:
            # Nobody is heard until the connection with them can have a relay.
            await self._ice.fetch(EQUIP)
        refused: list[Event] = []
        if self._sealing:
            batch, unused = self._sealing.opened(self.me.id, batch)
            refused += unused
        events = self._known.received(batch)
        self._tell([*events, *refused, *self._troubles()])
        if any(isinstance(event, RoomClosed) for event in events):
            self._end("closed")

    async def _has_room(self) -> bool:
        return await self._stream.has_room(self.lease / 3)

    def _changed(self, state: RoomStatus, error: Exception | None) -> None:
        if state == self._state or self._is_over:
            return
        self._state = state
        log.log(logging.INFO if error is None else logging.WARNING, "room %s: %s%s", self.name, state, f" ({error})" if error else "")
        self._stream.put([StateChanged(state, error)])

    def _end(self, state: Ending, error: Exception | None = None, keep: bool = False) -> None:
        if self._is_over:
            return
        self._changed(state, error)
        if self._expiry is not None:
            self._expiry.cancel()
        self._ice.end()
        self._outbox.end(RoomEnded(state))
        if self._keeping is not asyncio.current_task():
            self._keeping.cancel()
        # What another process took over may be continued here, which needs the token.
        if state != "superseded" and not keep:
            self._session.unkeep()
        self._stream.end()

    # The rest.

    @property
    def _is_over(self) -> bool:
        return self._state not in ("connected", "reconnecting")

    def _seal(self, to: str | None, message: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._sealing.seal(self.me.id, to, message) if self._sealing else message

    def _troubles(self) -> list[Event]:
        if not self._sealing:
            return []
        changed = [self.peers[id] for id in self._sealing.changes() if id in self.peers]
        return [TroubleChanged(peer, self.troubles.get(peer.id)) for peer in changed]

    def _tell(self, events: list[Event]) -> None:
        self._stream.put(events)
        if self._expiry is not None:
            self._expiry.cancel()
        deadline = self._known.next_deadline
        loop = asyncio.get_running_loop()
        self._expiry = None if deadline is None else loop.call_at(deadline, lambda: self._tell(self._known.elapsed(loop.time())))

    def _equip(self, entry: Entry) -> None:
        self._ice.set(entry.joined["ice_servers"], entry.joined["ice_ttl_s"])

    def _ice_changed(self, servers: Servers) -> None:
        self._stream.put([IceServersChanged(servers)])

    async def _ask_ice_servers(self) -> Mapping[str, Any]:
        url = self._session.at.ice_servers(self._session.seat.peer)
        answer = await self._session.ask_seated(Request("GET", url, expects="ice_servers"))
        return dict(answer.body)

    async def _post(self, key: str, body: bytes) -> Receipts:
        request = Request("POST", self._session.at.outbox, body=body, key=key, expects="accepted")
        answer = await self._session.ask_seated(request)
        return list(answer.body["accepted"])


class Joining(Awaitable[Room]):
    """`async with join(…) as room` leaves the room at the end; `room = await join(…)` leaves that to you."""

    def __init__(self, make: Awaitable[Room]) -> None:
        self._make = make
        self._room: Room | None = None

    def __await__(self) -> Generator[Any, None, Room]:
        return self._make.__await__()

    async def __aenter__(self) -> Room:
        self._room = await self._make
        return self._room

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._room is not None:
            await self._room.leave()


def join(
    base: str,
    room: str,
    *,
    name: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    secret: str | None = None,
    ticket: str | None = None,
    capacity: int | None = None,
    key: str | None = None,
    passphrase: str | None = None,
    seat: Seat | None = None,
    seat_file: str | os.PathLike[str] | None = None,
    client: aiohttp.ClientSession | None = None,
    on_retry: OnRetry | None = None,
) -> Joining:
    """Joins a room, or returns to a seat.

    Retries while the server cannot be reached, and calls `on_retry(error, failures, delay)` before each; raises `Problem` if
    it refuses (`room-full`, `secret-missing`, …).

    :param base: the server's URL: `https://signal.example/`
    :param room: 1–64 characters of `A-Za-z0-9._~-`; created if it does not exist
    :param name: shown to the others
    :param metadata: an object with further data for the others, at most 4 KiB
    :param secret: of a room that has one, or is to have one
    :param ticket: from the application's login, if the server requires tickets
    :param capacity: the number of seats, if this creates the room
    :param key: seals the room (needs `signalpost[sealed]`): 43 characters of base64url, from `signalpost.new_key()` or a link
    :param passphrase: instead of the key. Anybody who can guess it can read everything
    :param seat: `Room.seat` of an earlier process, to return to it
    :param seat_file: keeps the seat from one process to the next
    :param client: your own session, with proxies or certificates; it is not closed
    :param on_retry: called before each retry
    """
    given = {"name": name, "metadata": metadata, "secret": secret, "ticket": ticket, "capacity": capacity}
    wishes = {member: value for member, value in given.items() if value is not None}
    return Joining(_join(base, room, wishes, (key, passphrase), seat, seat_file, client, on_retry))


async def _join(
    base: str,
    room: str,
    wishes: Mapping[str, Any],
    secrets: tuple[str | None, str | None],
    seat: Seat | None,
    seat_file: str | os.PathLike[str] | None,
    client: aiohttp.ClientSession | None,
    on_retry: OnRetry | None,
) -> Room:
    at = endpoints(base, room, str(uuid.uuid4()))
    sealing = await _sealing(room, *secrets)
    http = Http(client)
    try:
        session = Session(http, at, wishes, seat, SeatFile(seat_file) if seat_file is not None else None, sealing)
        entry = await session.enter(on_retry=on_retry)
        await session.keep_or_give_up(entry)
        return Room(session, entry)
    except BaseException:
        await http.close()
        raise


async def _sealing(room: str, key: str | None, passphrase: str | None) -> Sealing | None:
    if key is None and passphrase is None:
        return None
    if key is not None and passphrase is not None:
        raise ValueError("A room has a key or a passphrase, not both.")
    # Only sealed rooms need the package cryptography.
    from ._sealed import RoomKey
    from ._sealing import Sealing

    if passphrase is None:
        return Sealing(RoomKey.of(key or ""), room)
    return Sealing(await asyncio.to_thread(RoomKey.of_passphrase, passphrase, room), room)


def new_key() -> str:
    """A key for a sealed room."""
    from ._sealed import RoomKey

    return RoomKey.new().text
