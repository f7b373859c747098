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
    Refused,
    Resumed,
    RoomClosed,
    RoomStatus,
    Sent,
    StateChanged,
    Trouble,
    TroubleChanged,
    Why,
)
from ._problems import Problem, RoomEnded, SignalpostError, Unreachable
from ._room import Joining, Room, join, new_key
from ._safety_number import safety_number
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
