"""WebRTC signaling over plain HTTP: rooms, and messages in order and exactly once.

>>> async with signalpost.join("https://signal.example/", "tea", name="Ann") as room:
...     async for event in room:
...         match event:
...             case signalpost.PeerJoined(peer):
...                 await room.send(peer, "data", data=f"hello {peer.name}")
...             case signalpost.Message(type="data", data=data):
...                 print(data)

`signalpost.aiortc` makes calls with aiortc.
"""

from . import _events
from ._events import IceServersChanged, Message, Peer, PeerJoined, PeerLeft, Refused, Resumed, RoomClosed, Sent, StateChanged, TroubleChanged
from ._problems import Problem, RoomEnded, SignalpostError, Unreachable
from ._room import Joining, Room, join, new_key
from ._safety_number import safety_number
from ._seat import Seat

__version__ = "0.1.0"

Event = _events.Event
"""What iterating over a `Room` gives."""

LeaveReason = _events.LeaveReason
"""Why a member has gone: it `left`, its lease `expired` because nothing was heard of it, or it was `kicked`."""

RoomStatus = _events.RoomStatus
"""`connected`: the mailbox is being read. `reconnecting`: it cannot be read at the moment. The others are final: `superseded` (another
process took the seat), `closed` (left, or the room is gone), `kicked`."""

Trouble = _events.Trouble
"""What a peer of a sealed room lacks, as far as its last message or its card tells."""

Why = _events.Why
"""Why a sealed room did not use a message.

* `unsealed`: its sender has no key.
* `unreadable`: sealed with another key, or changed, or meant for somebody else.
* `repeated`: received before, or after a later one.
* `outdated`: from before its sender started again.
* `malformed`: sealed by somebody with the key, against the format.
"""

__all__ = [
    "Event",
    "IceServersChanged",
    "Joining",
    "LeaveReason",
    "Message",
    "Peer",
    "PeerJoined",
    "PeerLeft",
    "Problem",
    "Refused",
    "Resumed",
    "Room",
    "RoomClosed",
    "RoomEnded",
    "RoomStatus",
    "Seat",
    "Sent",
    "SignalpostError",
    "StateChanged",
    "Trouble",
    "TroubleChanged",
    "Unreachable",
    "Why",
    "join",
    "new_key",
    "safety_number",
]
