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

from ._events import (
    Event,
    IceServersChanged,
    LeaveReason,
    Message,
    Peer,
    PeerJoined,
    PeerLeft,
    Resumed,
    RoomClosed,
    RoomStatus,
    Sent,
    StateChanged,
)
from ._problems import Problem, RoomEnded, SignalpostError, Unreachable
from ._room import Joining, Room, join
from ._seat import Seat

__version__ = "0.1.0"

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
    "Resumed",
    "Room",
    "RoomClosed",
    "RoomEnded",
    "RoomStatus",
    "Seat",
    "Sent",
    "SignalpostError",
    "StateChanged",
    "Unreachable",
    "join",
]
