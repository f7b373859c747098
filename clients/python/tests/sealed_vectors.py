"""Makes docs/sealed-vectors.json: `python tests/sealed_vectors.py`. The nonces are fixed, so it is always the same file."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

from signalpost._safety_number import safety_number  # noqa: E402
from signalpost._sealed import RoomKey, Seals, decoded, encoded  # noqa: E402

PATH = Path(__file__).parents[3] / "docs" / "sealed-vectors.json"
ROOM = "tea"
ANN, BEN, CEM = (f"{digit * 8}-0000-4000-8000-{digit * 12}" for digit in "abc")
KEY = RoomKey(bytes(range(32)))
OTHER = RoomKey(bytes(range(32, 64)))
#: Nonces for `plain`, which `document` begins anew.
ODD: Iterator[bytes] = iter(())
EPOCH, LATER = "0011223344556677", "8899aabbccddeeff"

CANDIDATE = {"candidate": "candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host", "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": "abcd"}
VALUES: list[tuple[str, dict[str, Any]]] = [
    ("offer", {"sdp": "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"}),
    ("answer", {"sdp": "v=0\r\ns=ü 🍵\r\n"}),
    ("candidate", {"candidate": CANDIDATE}),
    ("candidate", {"candidate": None}),
    ("bye", {"reason": "tired"}),
    ("bye", {}),
    ("data", {"data": {"deep": [1, None, True, "é🍵\u2028"]}}),
    ("data", {"data": None}),
]


class Nonces:
    def __init__(self, first: int) -> None:
        self.last = first - 1

    def __call__(self) -> bytes:
        self.last += 1
        return self.last.to_bytes(12, "big")


def seals(key: RoomKey = KEY, room: str = ROOM, epoch: str = EPOCH, first: int = 1) -> Seals:
    return Seals(key, room, epoch, Nonces(first))


def arriving(sealed: dict[str, Any], seq: int = 1, sender: str = ANN) -> dict[str, Any]:
    return {"seq": seq, "from": sender, **sealed}


def made(type: str, members: dict[str, Any], to: str | None = BEN, **options: Any) -> dict[str, Any]:
    return seals(**options).seal(ANN, to, {"type": type, **members})


def messages() -> list[dict[str, Any]]:
    """All from Ann, in this order: direct ones to Ben, then the same to all."""
    nonces = Nonces(1)
    sealing = Seals(KEY, ROOM, EPOCH, nonces)
    return [
        {"to": to, "message": {"type": type, **members}, "nonce": (nonces.last + 1).to_bytes(12, "big").hex(), "sealed": sealing.seal(ANN, to, {"type": type, **members})}
        for to in (BEN, None)
        for type, members in VALUES
    ]


def cards() -> list[dict[str, Any]]:
    wanted: list[dict[str, Any]] = [{"name": "Ann", "metadata": {"rtc": {"trickle": False}}}, {"name": "Зоя 🍵", "metadata": {}}, {"name": "", "metadata": None}]
    return [
        {"card": card, "nonce": nonce.to_bytes(12, "big").hex(), "metadata": seals(first=nonce).seal_card(card)} for nonce, card in enumerate(wanted, 200)
    ]


def flipped(sealed: str, bit: int) -> str:
    body = bytearray(decoded(sealed[2:]) or b"")
    body[bit // 8] ^= 1 << bit % 8
    return "1." + encoded(bytes(body))


def plain(text: str, type: str = "offer", sender: str = ANN, to: str = BEN) -> str:
    """Seals a text that our own code would not make."""
    nonce = next(ODD)
    context = b"\0".join(part.encode() for part in (type, sender, to))
    return "1." + encoded(nonce + KEY.cipher(ROOM, sender, to).encrypt(nonce, text.encode(), context))


def odd_card(card: str) -> dict[str, str]:
    return {"sealed": plain(f'{{"e":"{EPOCH}","n":1,"v":{card}}}', "card", "", "")}


def odd_data(value: str) -> dict[str, Any]:
    return {"type": "data", "data": {"sealed": plain(f'{{"e":"{EPOCH}","n":1,"v":{value}}}', "data")}}


def refusals() -> list[dict[str, Any]]:
    sdp = VALUES[0][1]
    offer, candidate, data = made("offer", sdp), made("candidate", {"candidate": CANDIDATE}), made("data", {"data": 1})
    text: str = offer["sdp"]
    # Of the last character, two or four bits stand for nothing.
    assert len(text[2:]) % 4 and text[-1] in "AQgwEIMUYcko048"
    last = text[:-1] + chr(ord(text[-1]) + 1)
    cases: list[tuple[str, str, dict[str, Any], str]] = [
        ("an offer that is not sealed", BEN, {"type": "offer", **sdp}, "unsealed"),
        ("an answer that is not sealed", BEN, {"type": "answer", **sdp}, "unsealed"),
        ("a candidate that is not sealed", BEN, {"type": "candidate", "candidate": CANDIDATE}, "unsealed"),
        ("an end of candidates that is not sealed", BEN, {"type": "candidate", "candidate": None}, "unsealed"),
        ("a bye that is not sealed", BEN, {"type": "bye", "reason": "tired"}, "unsealed"),
        ("a bye without a reason", BEN, {"type": "bye"}, "unsealed"),
        ("data that are not sealed", BEN, {"type": "data", "data": {"sealed": 1}}, "unsealed"),
        ("sealed with another key", BEN, made("offer", sdp, key=OTHER), "unreadable"),
        ("sealed for another room", BEN, made("offer", sdp, room="coffee"), "unreadable"),
        ("sealed for another receiver", CEM, offer, "unreadable"),
        ("an offer as an answer", BEN, {**offer, "type": "answer"}, "unreadable"),
        ("a candidate as data", BEN, {"type": "data", "data": candidate["candidate"]}, "unreadable"),
        ("data as the reason of a bye", BEN, {"type": "bye", "reason": data["data"]["sealed"]}, "unreadable"),
        ("a version that does not exist yet", BEN, {"type": "offer", "sdp": "2" + text[1:]}, "unreadable"),
        ("the first bit of the nonce changed", BEN, {"type": "offer", "sdp": flipped(text, 0)}, "unreadable"),
        ("a bit of the ciphertext changed", BEN, {"type": "offer", "sdp": flipped(text, 12 * 8 + 3)}, "unreadable"),
        ("the last bit of the tag changed", BEN, {"type": "offer", "sdp": flipped(text, len(decoded(text[2:]) or b"") * 8 - 1)}, "unreadable"),
        ("cut short", BEN, {"type": "offer", "sdp": text[:38]}, "unreadable"),
        ("with padding", BEN, {"type": "offer", "sdp": text + "="}, "unreadable"),
        ("the unused bits of the last character set", BEN, {"type": "offer", "sdp": last}, "unreadable"),
        ("nothing after the version", BEN, {"type": "offer", "sdp": "1."}, "unreadable"),
        ("a plain text that is no JSON", BEN, {"type": "offer", "sdp": plain("v=0")}, "malformed"),
        ("a plain text without an epoch", BEN, {"type": "offer", "sdp": plain('{"n":1,"v":""}')}, "malformed"),
        ("a number of zero", BEN, {"type": "offer", "sdp": plain('{"e":"0011223344556677","n":0,"v":""}')}, "malformed"),
        ("a number that is no integer", BEN, {"type": "offer", "sdp": plain('{"e":"0011223344556677","n":1.5,"v":""}')}, "malformed"),
        ("data with a lone surrogate", BEN, odd_data('["\\ud83d"]'), "malformed"),
        ("data with a lone surrogate in a member's name", BEN, odd_data('{"\\udf75":1}'), "malformed"),
        ("data with a number out of range", BEN, odd_data("[1e999]"), "malformed"),
        ("data with a number that JSON does not have", BEN, odd_data("NaN"), "malformed"),
        ("an offer that is no text", BEN, {"type": "offer", "sdp": plain('{"e":"0011223344556677","n":1,"v":{}}')}, "malformed"),
    ]
    refused = [{"name": name, "receiver": receiver, "message": arriving(message), "why": why} for name, receiver, message, why in cases]
    other_sender = {"name": "with another sender", "receiver": BEN, "message": arriving(offer, sender=CEM), "why": "unreadable"}
    own = {"name": "one's own message to all", "receiver": ANN, "message": arriving(made("data", {"data": 1}, to=None)), "why": "repeated"}
    return [*refused, other_sender, own]


def sequences() -> list[dict[str, Any]]:
    """What Ben makes of messages from Ann, each in the order of arrival."""
    first = seals(first=300)
    one, two, three = [arriving(first.seal(ANN, BEN, {"type": "data", "data": number}), number) for number in (1, 2, 3)]
    to_all = arriving(first.seal(ANN, None, {"type": "data", "data": "all"}), 4)
    again = seals(epoch=LATER, first=310)
    anew = arriving(again.seal(ANN, BEN, {"type": "data", "data": "anew"}), 5)
    anew_to_all = arriving(again.seal(ANN, None, {"type": "data", "data": "anew, all"}), 6)
    wanted: list[tuple[str, list[tuple[dict[str, Any], str]]]] = [
        ("in order", [(one, "used"), (two, "used"), (three, "used")]),
        ("sent twice", [(one, "used"), (one, "repeated"), (two, "used"), (two, "repeated"), (one, "repeated")]),
        ("out of order", [(two, "used"), (one, "repeated"), (three, "used")]),
        ("one is missing", [(one, "used"), (three, "used"), (two, "repeated")]),
        ("messages to all have numbers of their own", [(three, "used"), (to_all, "used"), (to_all, "repeated")]),
        ("an epoch is replaced for good", [(one, "used"), (anew, "used"), (two, "outdated"), (to_all, "outdated"), (anew, "repeated"), (anew_to_all, "used")]),
    ]
    return [{"name": name, "receiver": BEN, "steps": [{"message": message, "result": result} for message, result in steps]} for name, steps in wanted]


def safety_numbers() -> list[dict[str, Any]]:
    ann = "v=0\r\na=fingerprint:sha-256 0A:1B:2C\r\n"
    ben = "v=0\r\nm=audio 9 RTP 0\r\na=fingerprint:SHA-256 3d:4e:5f\r\nm=video 9 RTP 0\r\na=fingerprint:sha-256 3D:4E:5F\r\n"
    many = "v=0\r\na=fingerprint:sha-512 66:77\r\na=fingerprint:sha-256 3D:4E:5F\r\n"
    both = "v=0\r\na=fingerprint:sha-256 3D:4E:5F\r\na=fingerprint:sha-256 0A:1B:2C\r\n"
    # aiortc reads two fingerprints here, because Python's `splitlines` splits at a vertical tab.
    odd = "v=0\r\na=fingerprint:sha-256 3D:4E:5F\x0ba=fingerprint:sha-256\u00a066:77\r\n"
    pairs = [("one fingerprint each", ann, ben), ("the other end", ben, ann), ("several", ann, many), ("both ends' at one end", ann, both), ("odd line ends", ann, odd), ("none", ann, "v=0\r\n")]
    return [{"name": name, "local": local, "remote": remote, "number": safety_number(local, remote)} for name, local, remote in pairs]


def document() -> dict[str, Any]:
    global ODD
    ODD = (number.to_bytes(12, "big") for number in itertools.count(400))
    pairs = [(ANN, BEN), (BEN, ANN), (ANN, ""), ("", "")]
    passphrases = [("tea", "correct horse battery staple"), ("coffee", "correct horse battery staple"), ("tea", "caf\u00e9"), ("tea", "cafe\u0301")]
    return {
        "about": "Test vectors for docs/sealed.md, made by clients/python/tests/sealed_vectors.py.",
        "room": ROOM,
        "key": KEY.text,
        "epoch": EPOCH,
        "sender": ANN,
        "passphrases": [{"room": room, "passphrase": text, "key": RoomKey.of_passphrase(text, room).text} for room, text in passphrases],
        "pairKeys": [{"from": sender, "to": to, "key": KEY.pair_key(ROOM, sender, to).hex()} for sender, to in pairs],
        "messages": messages(),
        "cards": cards(),
        "refusedCards": [
            {"metadata": {"rtc": {}}, "why": "unsealed"},
            {"metadata": None, "why": "unsealed"},
            {"metadata": seals(OTHER, first=220).seal_card({"name": "Ann"}), "why": "unreadable"},
            {"metadata": seals(room="coffee", first=221).seal_card({"name": "Ann"}), "why": "unreadable"},
            {"metadata": made("data", {"data": {"name": "Ann", "metadata": {}}}, to=None, first=222)["data"], "why": "unreadable"},
            {"metadata": odd_card('{"metadata":{}}'), "why": "malformed"},
            {"metadata": odd_card('"Ann"'), "why": "malformed"},
            {"metadata": odd_card('{"name":"Ann\\n","metadata":{}}'), "why": "malformed"},
            {"metadata": odd_card('{"name":"' + "x" * 65 + '","metadata":{}}'), "why": "malformed"},
        ],
        "refusals": refusals(),
        "sequences": sequences(),
        "safetyNumbers": safety_numbers(),
    }


def text() -> str:
    return json.dumps(document(), indent=1) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), "utf-8")
