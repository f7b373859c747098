"""Sealed rooms: the format of messages that the server can neither read nor change (docs/sealed.md)."""

from __future__ import annotations

import base64
import json
import math
import os
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from ._events import Why
from ._replays import Replays, Unusable

LABEL: Final = "signalpost/sealed/1"
KEY_BYTES: Final = 32
#: As AES-GCM recommends (NIST SP 800-38D, section 8.2), and the length of its tag.
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
ITERATIONS: Final = 600_000

#: The member of each type that is sealed, and whether within an object, because the server takes no string there.
FIELDS: Final[Mapping[str, tuple[str, bool]]] = {
    "offer": ("sdp", False),
    "answer": ("sdp", False),
    "candidate": ("candidate", True),
    "bye": ("reason", False),
    "data": ("data", True),
}


class RoomKey:
    """What everybody in a sealed room has and the server has not. Its `repr` does not show it."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise ValueError(f"A room key has {KEY_BYTES} bytes.")
        self._secret = secret
        self._derived: dict[tuple[str, str, str], AESGCM] = {}

    @classmethod
    def new(cls) -> RoomKey:
        return cls(os.urandom(KEY_BYTES))

    @classmethod
    def of(cls, text: str) -> RoomKey:
        """From base64url without padding, as in the fragment of a link. Raises `ValueError`."""
        secret = decoded(text)
        if secret is None:
            raise ValueError("A room key is 43 characters of base64url.")
        return cls(secret)

    @classmethod
    def of_passphrase(cls, passphrase: str, room: str) -> RoomKey:
        """Takes a good part of a second. The same text may be typed as different code points, hence NFC (RFC 8265, section 4.2)."""
        if not passphrase:
            raise ValueError("The passphrase is empty.")
        salt = f"{LABEL}/{room}".encode()
        return cls(PBKDF2HMAC(SHA256(), KEY_BYTES, salt, ITERATIONS).derive(unicodedata.normalize("NFC", passphrase).encode()))

    @property
    def text(self) -> str:
        return encoded(self._secret)

    def pair_key(self, room: str, sender: str, receiver: str) -> bytes:
        info = b"\0".join(part.encode() for part in (room, sender, receiver))
        return HKDF(SHA256(), KEY_BYTES, LABEL.encode(), info).derive(self._secret)

    def cipher(self, room: str, sender: str, receiver: str) -> AESGCM:
        pair = (room, sender, receiver)
        if pair not in self._derived:
            self._derived[pair] = AESGCM(self.pair_key(*pair))
        return self._derived[pair]


class Seals:
    """Seals and opens the messages of one member, for as long as its process lives."""

    def __init__(self, key: RoomKey, room: str, epoch: str | None = None, nonce: Callable[[], bytes] = lambda: os.urandom(NONCE_BYTES)) -> None:
        self._key = key
        self._room = room
        self._epoch = epoch or os.urandom(8).hex()
        self._nonce = nonce
        #: Numbers given so far, by receiver.
        self._numbers: dict[str, int] = {}
        self._replays = Replays()

    def seal(self, sender: str, receiver: str | None, message: Mapping[str, Any]) -> dict[str, Any]:
        """A message without its sender and receiver. Raises `ValueError` if it has members that would not be sealed."""
        type, to = str(message["type"]), (receiver or "").lower()
        if type not in FIELDS:
            raise ValueError(f"There is no message of type {type}.")
        field, within = FIELDS[type]
        if others := set(message) - {"type", field}:
            raise ValueError(f"In a sealed room, {type} has only {field}, not {', '.join(sorted(others))}.")
        number = self._numbers.get(to, 0) + 1
        sealed = self._seal(type, sender.lower(), to, number, message.get(field))
        self._numbers[to] = number
        return {"type": type, field: {"sealed": sealed} if within else sealed}

    def open(self, receiver: str, message: Mapping[str, Any]) -> dict[str, Any]:
        """A message as its sender sealed it. Raises `Unusable`."""
        type, sender, me = str(message["type"]), str(message["from"]).lower(), receiver.lower()
        field, within = FIELDS[type]
        value = message.get(field)
        sealed = value.get("sealed") if within and isinstance(value, dict) else None if within else value
        if sender == me:
            raise Unusable("repeated")
        to, plain = self._open(type, sender, (me, ""), sealed)
        epoch, number = plain["e"], plain["n"]
        self._replays.check(sender, to, epoch, number)
        opened = plain["v"]
        if not _fits(type, opened):
            raise Unusable("malformed")
        shown = {} if type == "bye" and opened is None else {field: opened}
        return {"seq": message["seq"], "from": message["from"], "type": type, **shown}

    def seal_card(self, card: Mapping[str, Any]) -> dict[str, Any]:
        """The `metadata` of a join. Raises `ValueError` if the name is not one."""
        if not _is_name(card.get("name", "")):
            raise ValueError("A name has at most 64 characters, and no control characters.")
        return {"sealed": self._seal("card", "", "", 1, {"name": card.get("name", ""), "metadata": card.get("metadata", {})})}

    def open_card(self, metadata: Any) -> tuple[str, Any]:
        """A peer's name and metadata. Raises `Unusable`."""
        sealed = metadata.get("sealed") if isinstance(metadata, dict) else None
        _, plain = self._open("card", "", ("",), sealed)
        card = plain["v"]
        if not isinstance(card, dict) or not _is_name(card.get("name")):
            raise Unusable("malformed")
        return card["name"], card.get("metadata", {})

    def _seal(self, type: str, sender: str, to: str, number: int, value: Any) -> str:
        plain = json.dumps({"e": self._epoch, "n": number, "v": value}, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
        nonce = self._nonce()
        cipher = self._key.cipher(self._room, sender, to)
        return "1." + encoded(nonce + cipher.encrypt(nonce, plain, _context(type, sender, to)))

    def _open(self, type: str, sender: str, receivers: tuple[str, ...], sealed: Any) -> tuple[str, dict[str, Any]]:
        """The receiver (empty: all), and what was sealed for it."""
        if not isinstance(sealed, str) or not re.match(r"[0-9]+\.", sealed):
            raise Unusable("unsealed")
        body = decoded(sealed[2:]) if sealed.startswith("1.") else None
        if body is None or len(body) < NONCE_BYTES + TAG_BYTES:
            raise Unusable("unreadable")
        nonce, rest = body[:NONCE_BYTES], body[NONCE_BYTES:]
        for to in receivers:
            try:
                plain = self._key.cipher(self._room, sender, to).decrypt(nonce, rest, _context(type, sender, to))
            except InvalidTag:
                continue
            return to, _parsed(plain)
        raise Unusable("unreadable")


def _context(type: str, sender: str, to: str) -> bytes:
    return b"\0".join(part.encode() for part in (type, sender, to))


def _parsed(plain: bytes) -> dict[str, Any]:
    try:
        document = json.loads(plain.decode(), parse_constant=_finite, parse_float=_finite)
        # Raises if there is a lone surrogate.
        json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Unusable("malformed") from None
    if not isinstance(document, dict) or "v" not in document:
        raise Unusable("malformed")
    epoch, number = document.get("e"), document.get("n")
    if not isinstance(epoch, str) or not re.fullmatch(r"[0-9a-f]{16}", epoch):
        raise Unusable("malformed")
    # Up to here every reader's numbers are exact (RFC 8259, section 6).
    if type(number) is not int or not 1 <= number < 2**53:
        raise Unusable("malformed")
    return document


def _finite(text: str) -> float:
    """What strict parsers of JSON refuse (RFC 8259, section 6), and so does the server in messages that it can read."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is out of range.")
    return number


def _is_name(value: Any) -> bool:
    """As the server checks names that it can read."""
    return isinstance(value, str) and len(value) <= 64 and not any(unicodedata.category(one) == "Cc" for one in value)


def _fits(type: str, value: Any) -> bool:
    if type in ("offer", "answer"):
        return isinstance(value, str)
    if type == "candidate":
        return value is None or isinstance(value, dict)
    return type == "data" or value is None or isinstance(value, str)


def encoded(data: bytes) -> str:
    """Base64url without padding (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes | None:
    """None if it is not the one text that `encoded` makes of some bytes (RFC 4648, section 3.5)."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        return None
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return data if encoded(data) == text else None


__all__ = ["FIELDS", "RoomKey", "Seals", "Unusable", "Why"]
