"""Proof of who holds a seat, and where it is kept from one process to the next."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Seat:
    """A credential: anybody who has it can act as the peer. Its `repr` shows no token."""

    peer: str
    """The peer's id."""
    token: str = field(repr=False)
    """What proves it."""
    room_token: str | None = field(default=None, repr=False)
    """Allows to close the room, if this member created it."""

    def to_json(self) -> str:
        """To be kept where nobody else can read it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Seat:
        """The opposite of `to_json`. Raises `ValueError` if the text is not a seat."""
        document = json.loads(text)
        members = [document.get(name) for name in ("peer", "token")] if isinstance(document, dict) else []
        if len(members) != 2 or not all(isinstance(member, str) for member in members):
            raise ValueError("not a seat")
        return cls(document["peer"], document["token"], document.get("room_token"))


class SeatFile:
    """A file with a seat, which only its owner can read."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)

    def load(self) -> Seat | None:
        try:
            return Seat.from_json(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return None

    def save(self, seat: Seat) -> None:
        # Replaced as a whole, so that a crash leaves the old seat or the new one.
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(seat.to_json())
        os.replace(draft, self._path)

    def drop(self, seat: Seat) -> None:
        """Drops this seat, but not another one that was kept meanwhile."""
        kept = self.load()
        if kept is not None and kept.token == seat.token:
            self._path.unlink(missing_ok=True)
