"""What a link does with a description, and what it reads from a peer's card: pure functions."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from aiortc import RTCIceCandidate

from signalpost import Peer
from signalpost.aiortc import Card
from signalpost.aiortc._connection import Connection
from signalpost.aiortc._negotiation import Verdict, View, belongs, candidates_in, is_polite, judge, with_origin
from signalpost.aiortc._patience import patience


def sdp(certificate: str = "AA", ufrag: str = "one", origin: str = "1 1") -> str:
    return f"v=0\r\no=- {origin} IN IP4 0.0.0.0\r\na=fingerprint:sha-256 {certificate}\r\na=ice-ufrag:{ufrag}\r\nm=application 9 x\r\n"


@pytest.mark.anyio
async def test_a_candidate_without_a_section_is_for_the_first() -> None:
    """aiortc refused it, which was only in the log."""
    added: list[tuple[str | None, int | None]] = []

    async def add(candidate: RTCIceCandidate) -> None:
        added.append((candidate.sdpMid, candidate.sdpMLineIndex))

    connection: Any = SimpleNamespace(pc=SimpleNamespace(addIceCandidate=add))
    places: list[dict[str, Any]] = [{}, {"mid": "1"}, {"sdpMid": "1"}, {"sdpMLineIndex": 1}]
    for place in places:
        await Connection._add(connection, {"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host", **place})
    assert added == [(None, 0), (None, 0), ("1", None), (None, 1)]


STABLE = View(polite=True, signaling="stable", remote=sdp(), heard=sdp())
OFFERED = View(polite=True, signaling="have-local-offer", remote=None, heard=None)


@pytest.mark.parametrize(
    ("view", "type", "description", "verdict"),
    [
        (View(True, "closed", None, None), "offer", sdp(), "renew"),
        (STABLE, "offer", sdp(origin="1 2"), "answer"),
        (STABLE, "offer", sdp() + "a=candidate:1 more\r\n", "repeated"),
        (STABLE, "offer", sdp("BB"), "renew"),
        (STABLE, "offer", sdp("aa", origin="1 2"), "answer"),
        (STABLE, "offer", sdp(ufrag="two", origin="1 2"), "replace"),
        (OFFERED, "offer", sdp(), "renew"),
        (View(False, "have-local-offer", None, None), "offer", sdp(), "ignore"),
        (View(True, "have-local-offer", sdp(), None), "offer", sdp(origin="1 2"), "replace"),
        (View(True, "have-local-offer", sdp(), None), "offer", sdp("BB"), "renew"),
        (OFFERED, "answer", sdp(), "accept"),
        (View(True, "have-local-offer", sdp(), None), "answer", sdp("BB"), "replace"),
        (STABLE, "answer", sdp() + "a=candidate:1 more\r\n", "repeated"),
        (STABLE, "answer", sdp(origin="1 2"), "drop"),
        (View(True, "closed", None, None), "answer", sdp(), "drop"),
    ],
)
def test_a_description_is_judged_by_what_this_end_knows(view: View, type: str, description: str, verdict: Verdict) -> None:
    assert judge(view, type, description) == verdict


def test_of_two_peers_exactly_one_is_polite() -> None:
    ann, ben = Peer("a", order=1), Peer("b", order=2)
    assert [is_polite(ann, ben), is_polite(ben, ann)] == [False, True]
    twin = Peer("c", order=1)
    assert is_polite(ann, twin) != is_polite(twin, ann)


def test_a_candidate_belongs_to_the_description_with_its_username_fragment() -> None:
    assert belongs({"candidate": "candidate:1 1 udp 1 1.1.1.1 9 typ host ufrag one"}, sdp())
    assert not belongs({"candidate": "", "usernameFragment": "two"}, sdp())
    assert belongs({"candidate": "candidate:1 1 udp 1 1.1.1.1 9 typ host"}, sdp())


def test_candidates_are_read_from_each_section() -> None:
    """Of a description that was sent again with its candidates, these were lost."""
    text = sdp() + "a=candidate:1 one\r\nm=audio 9 x\r\na=candidate:2 two\r\na=end-of-candidates\r\n"
    assert [(one["candidate"], one["sdpMLineIndex"]) for one in candidates_in(text)] == [("candidate:1 one", 0), ("candidate:2 two", 1)]


def test_the_session_id_stays_and_its_version_rises() -> None:
    assert "\r\no=- 7 3 IN IP4" in with_origin(sdp(origin="99 99"), 7, 3)


def test_patience_grows_and_the_polite_end_has_more() -> None:
    assert [patience("waiting", attempts, False) for attempts in (0, 1, 50)] == [5.0, 7.5, 60.0]
    assert patience("waiting", 0, True) == 7.5


def test_a_card_is_read_leniently() -> None:
    nothings: list[object] = [None, {}, {"rtc": None}, {"rtc": []}, "rtc", {"rtc": {"direction": "up", "trickle": "no"}}]
    for nothing in nothings:
        assert Card.of(nothing) == Card()
    encoder = Card.of({"rtc": {"trickle": False, "renegotiates": False, "channel": False, "direction": "sendonly"}})
    assert encoder == Card(trickle=False, renegotiates=False, channel=False, direction="sendonly")
    assert (encoder.sends, encoder.receives) == (True, False)
