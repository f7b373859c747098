"""The URLs of one room."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from ._problems import Problem


@dataclass(frozen=True)
class Endpoints:
    root: str
    #: Identifies this process in polls and joins.
    page: str

    @property
    def join(self) -> str:
        return f"{self.root}/peers"

    @property
    def outbox(self) -> str:
        return f"{self.root}/messages"

    def seat(self, peer: str) -> str:
        return f"{self.root}/peers/{peer}"

    def mailbox(self, peer: str, wait: float, unique: str | None = None) -> str:
        nonce = f"&nonce={unique}" if unique else ""
        return f"{self.seat(peer)}/messages?wait={round(wait, 3):g}&page={self.page}{nonce}"

    def ice_servers(self, peer: str) -> str:
        # Caches that ignore `no-store` have seen none of these URLs.
        return f"{self.seat(peer)}/ice-servers?nonce={uuid.uuid4()}"


def endpoints(base: str, room: str, page: str) -> Endpoints:
    # URL parsers resolve these path segments, even as `%2e` (URL standard), so such a room has no URL.
    if room in ("", ".", ".."):
        detail = f"“{room}” cannot be the name of a room, because no URL can contain it."
        raise Problem({"type": "/problems/room-name-invalid", "title": "Invalid room name", "detail": detail}, 422)
    if "?" in base or "#" in base:
        # Not repeated: the fragment may have a room's key.
        raise ValueError("the URL of a server has no query and no fragment, which the link to a room has")
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{base!r} is not the URL of a server, such as https://signal.example.org")
    return Endpoints(f"{base.rstrip('/')}/v1/rooms/{quote(room, safe='')}", page)
