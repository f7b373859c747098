"""What a room tells: its members, their messages, and the state of the connection with the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Union

LeaveReason = Literal["left", "expired", "kicked"]
#: `connected`: the mailbox is being read. `reconnecting`: it cannot be read at the moment. The others are final:
#: `superseded` (another process took the seat), `closed` (left, or the room is gone), `kicked`.
RoomStatus = Literal["connected", "reconnecting", "superseded", "closed", "kicked"]
#: Why a sealed room did not use a message. `unsealed`: its sender has no key. `unreadable`: sealed with another key, or changed, or
#: meant for somebody else. `repeated`: received before, or after a later one. `outdated`: from before its sender started again.
#: `malformed`: sealed by somebody with the key, against docs/sealed.md.
Why = Literal["unsealed", "unreadable", "repeated", "outdated", "malformed"]
#: What a peer of a sealed room lacks, as far as its last message or its card tells.
Trouble = Literal["no key", "another key"]


@dataclass(frozen=True)
class Peer:
    """A member of a room. Peers are numbered by `order` as they join."""

    id: str
    name: str = ""
    metadata: Any = None
    order: int = 0

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Peer:
        return cls(document["id"], document.get("name", ""), document.get("metadata"), document.get("order", 0))


@dataclass(frozen=True)
class Message:
    """A message from another peer: `offer`, `answer`, `candidate`, `bye` or `data`.

    `members` has all members as they arrived, also those that this version does not know.
    """

    seq: int
    sender: str
    type: str
    members: Mapping[str, Any] = field(repr=False)
    #: The sender, which may have left since (then it is no longer in `Room.peers`).
    peer: Peer | None = field(default=None, repr=False, compare=False)

    @property
    def data(self) -> Any:
        return self.members.get("data")

    @property
    def sdp(self) -> str:
        return str(self.members.get("sdp", ""))

    @property
    def candidate(self) -> dict[str, Any] | None:
        """None is the end of candidates."""
        return self.members.get("candidate")

    @property
    def reason(self) -> str | None:
        return self.members.get("reason")


@dataclass(frozen=True)
class PeerJoined:
    peer: Peer


@dataclass(frozen=True)
class PeerLeft:
    peer: Peer
    reason: LeaveReason


@dataclass(frozen=True)
class Resumed:
    """Back in the room after the seat was lost."""

    #: The mailbox is new: messages in the old one may have been lost.
    lost: bool
    #: This member has a new id: the server did not recognise the old token.
    renamed: bool
    #: The peers that are certainly in the room.
    roster: tuple[Peer, ...]


@dataclass(frozen=True)
class StateChanged:
    state: RoomStatus
    #: The reason, if a request was refused or not answered.
    error: Exception | None = None


@dataclass(frozen=True)
class RoomClosed:
    """The room's creator has ended it for all."""


@dataclass(frozen=True)
class IceServersChanged:
    """Renewed, or changed since the seat was taken again."""

    servers: tuple[dict[str, Any], ...] = field(repr=False)


@dataclass(frozen=True)
class Refused:
    """A message that a sealed room did not use."""

    seq: int
    sender: str
    type: str
    why: Why


@dataclass(frozen=True)
class TroubleChanged:
    """What a peer of a sealed room lacks; None: nothing any more."""

    peer: Peer
    trouble: Trouble | None


Event = Union[Message, PeerJoined, PeerLeft, Resumed, StateChanged, RoomClosed, IceServersChanged, Refused, TroubleChanged]


@dataclass(frozen=True)
class Sent:
    #: The message's number in the recipient's mailbox; None if it was for all.
    seq: int | None
    #: One entry for each recipient: `{"to": …, "seq": …}`.
    accepted: tuple[Mapping[str, Any], ...]
