"""What a room tells: its members, their messages, and the state of the connection with the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Union

# The aliases are documented in `__init__.py`: tools find the docstring of a variable only in the module that they read.
LeaveReason = Literal["left", "expired", "kicked"]
RoomStatus = Literal["connected", "reconnecting", "superseded", "closed", "kicked"]
Why = Literal["unsealed", "unreadable", "repeated", "outdated", "malformed"]
Trouble = Literal["no key", "another key"]


@dataclass(frozen=True)
class Peer:
    """A member of a room. Peers are numbered by `order` as they join."""

    id: str
    """Given by the server. A peer that returns to its seat keeps it."""
    name: str = ""
    """Chosen by the peer: input to be displayed as text, never as markup."""
    metadata: Any = None
    """The object that the peer passed to `join`."""
    order: int = 0
    """Larger for peers that joined later."""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Peer:
        """From the server's document."""
        return cls(document["id"], document.get("name", ""), document.get("metadata"), document.get("order", 0))


@dataclass(frozen=True)
class Message:
    """A message from another peer."""

    seq: int
    """Its number in this member's mailbox."""
    sender: str
    """The sender's id, set by the server."""
    type: str
    """`offer`, `answer`, `candidate`, `bye` or `data`."""
    members: Mapping[str, Any] = field(repr=False)
    """All members as they arrived, including those that this version does not know."""
    peer: Peer | None = field(default=None, repr=False, compare=False)
    """The sender, which may have left since (then it is no longer in `Room.peers`)."""

    @property
    def data(self) -> Any:
        """The content of a `data` message: any JSON value."""
        return self.members.get("data")

    @property
    def sdp(self) -> str:
        """The description in an `offer` or `answer`."""
        return str(self.members.get("sdp", ""))

    @property
    def candidate(self) -> dict[str, Any] | None:
        """An `RTCIceCandidateInit`; None is the end of candidates."""
        return self.members.get("candidate")

    @property
    def reason(self) -> str | None:
        """Why a peer said `bye`, if it told."""
        return self.members.get("reason")


@dataclass(frozen=True)
class PeerJoined:
    """Another member has come."""

    peer: Peer
    """Who."""


@dataclass(frozen=True)
class PeerLeft:
    """Another member has gone."""

    peer: Peer
    """Who."""
    reason: LeaveReason
    """Why."""


@dataclass(frozen=True)
class Resumed:
    """Back in the room after the seat was lost."""

    lost: bool
    """The mailbox is new: messages in the old one may have been lost."""
    renamed: bool
    """This member has a new id: the server did not recognise the old token."""
    roster: tuple[Peer, ...]
    """The peers that are certainly in the room."""


@dataclass(frozen=True)
class StateChanged:
    """The connection with the server, or this member's place in the room, has changed."""

    state: RoomStatus
    """What `Room.state` is now."""
    error: Exception | None = None
    """The reason, if a request was refused or not answered."""


@dataclass(frozen=True)
class RoomClosed:
    """The room's creator has ended it for all."""


@dataclass(frozen=True)
class IceServersChanged:
    """The ICE servers were renewed, or are others since the seat was taken again."""

    servers: tuple[dict[str, Any], ...] = field(repr=False)
    """What `Room.ice_servers` is now: objects like `RTCIceServer`."""


@dataclass(frozen=True)
class Refused:
    """A message that a sealed room did not use."""

    seq: int
    """Its number in this member's mailbox."""
    sender: str
    """The sender's id."""
    type: str
    """The message's type."""
    why: Why
    """The reason."""


@dataclass(frozen=True)
class TroubleChanged:
    """What a peer of a sealed room lacks has changed."""

    peer: Peer
    """Who."""
    trouble: Trouble | None
    """What it lacks; None: nothing any more."""


Event = Union[Message, PeerJoined, PeerLeft, Resumed, StateChanged, RoomClosed, IceServersChanged, Refused, TroubleChanged]


@dataclass(frozen=True)
class Sent:
    """The server has accepted a message."""

    seq: int | None
    """The message's number in the recipient's mailbox; None if it was for all."""
    accepted: tuple[Mapping[str, Any], ...]
    """One entry for each recipient: `{"to": …, "seq": …}`."""
