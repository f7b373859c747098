"""What a peer can do in a call, as it says in `metadata.rtc` of its card (docs/clients.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
DIRECTIONS: tuple[Direction, ...] = ("sendrecv", "sendonly", "recvonly", "inactive")


@dataclass(frozen=True)
class Card:
    """What a peer can do in a call. Without a statement, it can do everything, as browsers do."""

    trickle: bool = True
    """False: wants all candidates in the description."""
    renegotiates: bool = True
    """False: one offer and one answer for each connection."""
    channel: bool = True
    """False: has no data channel."""
    direction: Direction = "sendrecv"
    """Of the peer's media, as the peer sees it."""

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
        """Whether the peer may send media."""
        return self.direction in ("sendrecv", "sendonly")

    @property
    def receives(self) -> bool:
        """Whether the peer may be sent media."""
        return self.direction in ("sendrecv", "recvonly")
