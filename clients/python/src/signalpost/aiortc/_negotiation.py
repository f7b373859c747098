"""What to do with a description that arrives: perfect negotiation for a library that cannot roll back.

Pure functions. A rollback becomes a new connection, whose offer or answer the other end recognises by its fingerprint.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .._events import Peer

#: `answer`: on this connection. `renew`: answer with a new one. `replace`: offer a new one. `accept`: the answer to our offer.
#: `ignore`: the peer has to answer our offer instead. `drop`: no longer of use. `repeated`: only its
#: candidates are of use.
Verdict = Literal["answer", "renew", "replace", "accept", "ignore", "drop", "repeated"]


@dataclass(frozen=True)
class View:
    """What this end knows when a description arrives."""

    polite: bool
    #: `closed` also if there is no connection yet.
    signaling: str
    #: The remote description in force, and the last remote offer that was answered.
    remote: str | None
    heard: str | None


def judge(view: View, type: str, sdp: str) -> Verdict:
    other = view.remote is not None and is_other_connection(view.remote, sdp)
    if type == "answer":
        if view.signaling == "stable" and view.remote is not None and essence(view.remote) == essence(sdp):
            return "repeated"
        if view.signaling != "have-local-offer":
            return "drop"
        return "replace" if other else "accept"
    if view.heard is not None and essence(view.heard) == essence(sdp):
        return "repeated"
    if view.signaling == "closed" or other:
        return "renew"
    if view.signaling == "stable":
        # aiortc cannot restart ICE.
        restarts = view.remote is not None and values(view.remote, "ice-ufrag") != values(sdp, "ice-ufrag")
        return "replace" if restarts else "answer"
    if not view.polite:
        return "ignore"
    return "renew" if view.remote is None else "replace"


def is_polite(me: Peer, other: Peer) -> bool:
    """The peer that joined later gives way if both offer at once."""
    return me.id > other.id if me.order == other.order else me.order > other.order


def is_other_connection(before: str, now: str) -> bool:
    """A new connection has a new certificate, so no fingerprint stays (RFC 8842, sections 3.1 and 4)."""
    old, new = fingerprints(before), fingerprints(now)
    return bool(old) and bool(new) and old.isdisjoint(new)


def belongs(candidate: dict[str, object], sdp: str) -> bool:
    """May a candidate belong to a description? One without a username fragment is for the description in force."""
    ufrag = ufrag_of(candidate)
    known = values(sdp, "ice-ufrag")
    return ufrag is None or not known or ufrag in known


def ufrag_of(candidate: dict[str, object]) -> str | None:
    """The username fragment of the description that a candidate belongs to, if it names it."""
    ufrag = candidate.get("usernameFragment")
    # An empty one is none.
    if isinstance(ufrag, str) and ufrag:
        return ufrag
    found = re.search(r"\bufrag (\S+)", str(candidate.get("candidate")))
    return found[1] if found else None


def sections(sdp: str) -> list[str]:
    """The kinds of the media sections: `audio`, `video`, `application`."""
    return re.findall(r"(?m)^m=(\w+) ", sdp)


def with_origin(sdp: str, session: int, version: int) -> str:
    """aiortc writes the clock as session id into each description; it has to stay the same for a connection, and its
    version to rise (RFC 8829, section 5.2.2)."""
    return re.sub(r"(?m)^o=(\S+) \d+ \d+", rf"o=\g<1> {session} {version}", sdp)


def fingerprints(sdp: str) -> frozenset[str]:
    """Hash names and hexadecimal digits are case-insensitive (RFC 8122, section 5)."""
    return frozenset(f"{hash} {value}".lower() for hash, value in re.findall(r"(?im)^a=fingerprint:[ \t]*(\S+)[ \t]+(\S+)", sdp))


def values(sdp: str, attribute: str) -> frozenset[str]:
    return frozenset(re.findall(rf"(?m)^a={attribute}:[ \t]*(\S+)", sdp))


def candidates_in(sdp: str) -> list[dict[str, object]]:
    """The candidates in a description (RFC 8839, section 5.1)."""
    sections = re.split(r"(?m)^m=", sdp)[1:]
    return [
        {"candidate": candidate, "sdpMLineIndex": index}
        for index, section in enumerate(sections)
        for candidate in re.findall(r"(?m)^a=(candidate:[^\r\n]+)", section)
    ]


def essence(sdp: str) -> str:
    """Without the parts that change while candidates are gathered (RFC 8829, sections 5.2.1 and 5.2.2)."""
    lines = [line for line in sdp.splitlines() if not re.match(r"c=|a=candidate:|a=end-of-candidates|a=rtcp:", line)]
    return "\n".join(re.sub(r"^(m=\S+) [1-9]\d*", r"\1 9", line) for line in lines)
