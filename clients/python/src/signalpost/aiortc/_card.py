"""What a peer can do in a call, as it says in `metadata.rtc` of its card (docs/clients.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
DIRECTIONS: tuple[Direction, ...] = ("sendrecv", "sendonly", "recvonly", "inactive")


@dataclass(frozen=True)
class Card:
    """Without a statement, a peer can do everything, as browsers do."""

    #: False: wants all candidates in the description.
    trickle: bool = True
    #: False: one offer and one answer for each connection.
    renegotiates: bool = True
    #: False: has no data channel.
    channel: bool = True
    #: Of the peer's media, as the peer sees it.
    direction: Direction = "sendrecv"

    @classmethod
    def of(cls, metadata: Any) -> Card:
        """Takes what is valid of a peer's metadata."""
        rtc = metadata.get("rtc") if isinstance(metadata, dict) else None
        if not isinstance(rtc, dict):
            return cls()
        direction = rtc.get("direction")
        return cls(
            trickle=rtc.get("trickle") is not False,
            renegotiates=rtc.get("renegotiates") is not False,
            channel=rtc.get("channel") is not False,
            direction=direction if direction in DIRECTIONS else "sendrecv",
        )

    @property
    def sends(self) -> bool:
        return self.direction in ("sendrecv", "sendonly")

    @property
    def receives(self) -> bool:
        return self.direction in ("sendrecv", "recvonly")
