"""Sealed rooms through the real server, and what somebody sees who carries their messages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import aioice.ice
import pytest
from company import Member, chat, connected
from reading import following
from server import Server
from wire import Exchange, Wire, body_of, problem, response

import signalpost
from signalpost import Message, PeerJoined, Refused, TroubleChanged

pytestmark = pytest.mark.anyio
KEY, OTHER = signalpost.new_key(), signalpost.new_key()


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    yield


async def refusals(room: signalpost.Room, count: int) -> list[Refused]:
    """The next ones. No message is used before them."""
    seen: list[Refused] = []
    while len(seen) < count:
        event = await room.__anext__()
        assert not isinstance(event, Message), event
        seen += [event] if isinstance(event, Refused) else []
    return seen


async def test_messages_and_cards_arrive_and_the_server_sees_none(wire: Wire) -> None:
    answers: list[bytes] = []

    async def noting(exchange: Exchange) -> bytes | None:
        answer = await exchange.forward()
        answers.append(answer)
        return answer

    wire.rule = noting
    kinds: dict[str, dict[str, Any]] = {
        "offer": {"sdp": "v=0 hush-hush"},
        "answer": {"sdp": "v=0 hush-hush"},
        "candidate": {"candidate": {"candidate": "hush-hush"}},
        "bye": {"reason": "hush-hush"},
        "data": {"data": ["hush-hush", "é🍵"]},
    }
    async with signalpost.join(wire.base, "tea", key=KEY, name="hush-hush Ann", metadata={"city": "hush-hush"}) as ann:
        async with signalpost.join(wire.base, "tea", key=KEY, name="hush-hush Ben") as ben:
            assert (ann.key, ann.me.name, ben.me.name) == (KEY, "hush-hush Ann", "hush-hush Ben")
            assert ben.peers[ann.me.id] == ann.me and ann.me.metadata == {"city": "hush-hush"}
            assert (await following(ann, PeerJoined)).peer == ben.me
            for to in (ben.me, None):
                for type, members in kinds.items():
                    await ann.send(to, type, **members)
                    got = await following(ben, Message)
                    assert {name: got.members[name] for name in members} == members
            await ann.send(ben.me, "bye")
            assert (await following(ben, Message)).reason is None
            with pytest.raises(ValueError, match="not label"):
                ann.send(ben.me, "data", data=1, label="hush-hush")
            assert not ann.troubles and not ben.troubles
    carried = b"".join([exchange.body for exchange in wire.seen] + answers)
    assert b"hush-hush" not in carried and carried.count(b'"1.') > 12


async def test_a_passphrase_makes_the_same_key_for_all(server: Server) -> None:
    async with signalpost.join(server.base, "tea", passphrase="two lumps of sugar") as ann:
        async with signalpost.join(server.base, "tea", key=ann.key) as ben:
            await ben.send(ann.me, "data", data="hello")
            assert (await following(ann, Message)).data == "hello"
    for wrong in ({"key": "short"}, {"passphrase": ""}, {"key": KEY, "passphrase": "both"}):
        with pytest.raises(ValueError):
            await signalpost.join(server.base, "tea", **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(("key", "trouble", "why"), [(None, "no key", "unsealed"), (OTHER, "another key", "unreadable")], ids=["no key", "another key"])
async def test_a_peer_without_the_key_is_not_heard_and_it_is_said_why(server: Server, key: str | None, trouble: str, why: str) -> None:
    async with signalpost.join(server.base, "tea", key=KEY, name="Ann", capacity=3) as ann:
        async with signalpost.join(server.base, "tea", key=key, name="Mallory") as mallory:
            joined = (await following(ann, PeerJoined)).peer
            assert (joined.name, joined.metadata) == ("", {})
            assert await following(ann, TroubleChanged) == TroubleChanged(joined, trouble)  # type: ignore[arg-type]
            await mallory.send(ann.me, "offer", sdp="v=0")
            assert [refused.why for refused in await refusals(ann, 1)] == [why]
            assert ann.troubles == {mallory.me.id: trouble}
            # The one who comes later learns it from the roster.
            async with signalpost.join(server.base, "tea", key=KEY) as cem:
                assert cem.troubles == {mallory.me.id: trouble}
                assert (await following(cem, TroubleChanged)).peer.id == mallory.me.id
        async with signalpost.join(server.base, "tea", key=KEY, name="Ben", seat=mallory.seat) as ben:
            # Whatever the card of a seat says, messages that open tell more.
            await ben.send(ann.me, "data", data="hello")
            assert (await following(ann, Message)).data == "hello"


async def test_what_a_hostile_server_repeats_swaps_and_changes_is_refused_and_named(wire: Wire) -> None:
    """Each batch is followed by others with the same messages, in different positions."""
    extra: list[list[dict[str, Any]]] = []

    async def hostile(exchange: Exchange) -> bytes | None:
        answer = await exchange.forward()
        if not exchange.is_poll or b" 200 " not in answer.partition(b"\r\n")[0]:
            return answer
        batch = body_of(answer)
        for message in list(batch["messages"]):
            if message["type"] != "data" or "from" not in message:
                continue
            text = message["data"]["sealed"]
            changes: list[dict[str, Any]] = [
                {},
                {"type": "candidate", "candidate": {"sealed": text}},
                {"data": {"sealed": text[:20] + ("A" if text[20] != "A" else "B") + text[21:]}},
                {"data": "plain"},
            ]
            # Positions are the server's choice, too.
            message["seq"] *= 10
            batch["messages"] += [{**message, "seq": message["seq"] + at, **change} for at, change in enumerate(changes, 1)]
            batch["cursor"] = message["seq"] + 9
            extra.append(batch["messages"])
        return response(200, json.dumps(batch), Content_Type="application/json")

    wire.rule = hostile
    async with signalpost.join(wire.base, "tea", key=KEY) as ann, signalpost.join(wire.base, "tea", key=KEY) as ben:
        await following(ann, PeerJoined)
        await ben.send(ann.me, "data", data="hello")
        assert (await following(ann, Message)).data == "hello"
        whys = [(refused.type, refused.why) for refused in await refusals(ann, 4)]
        assert whys == [("data", "repeated"), ("candidate", "unreadable"), ("data", "unreadable"), ("data", "unsealed")]
        assert extra and ann.state == "connected"


async def test_what_was_queued_before_this_member_got_a_new_id_is_sealed_with_that(server: Server, wire: Wire) -> None:
    async with signalpost.join(wire.base, "tea", key=KEY, name="Ann", capacity=3) as ann, signalpost.join(server.base, "tea", key=KEY, name="Ben") as ben:
        before, token = ann.me.id, ann.seat.token

        async def forgotten(exchange: Exchange) -> bytes | None:
            """As from a server that has another token key."""
            known = token not in exchange.headers.get("authorization", "")
            return await exchange.forward() if known else problem(401, "token-invalid")

        await following(ann, PeerJoined)
        wire.rule = forgotten
        sent = [ann.send(None, "data", data=number) for number in range(60)]
        for number in range(60):
            got = await following(ben, Message)
            assert (got.data, got.sender) == (number, ann.me.id)
        await asyncio.gather(*sent)
        assert ann.me.id != before and ann.me.name == "Ann" and not ben.troubles


async def test_a_call_in_a_sealed_room_is_verified_and_both_ends_have_one_safety_number(server: Server) -> None:
    async with Member(server.base, "Ann", key=KEY) as ann, Member(server.base, "Ben", key=KEY) as ben:
        await connected(ann, ben)
        await chat(ann, ben, "hello")
        one, other = ann.link(ben), ben.link(ann)
        assert one.safety_number == other.safety_number and len(one.safety_number.split(" ")) == 12
        assert (one.verified, other.verified, one.trouble) == ("key", "key", None)
        one.mark_compared()
        assert (one.verified, other.verified) == ("compared", "key")


async def test_an_unsealed_call_is_verified_by_comparing_until_its_certificates_change(server: Server) -> None:
    async with Member(server.base, "Ann") as ann, Member(server.base, "Ben") as ben:
        await connected(ann, ben)
        link, number = ann.link(ben), ann.link(ben).safety_number
        assert number == ben.link(ann).safety_number and not link.verified
        link.mark_compared()
        assert (link.verified, ben.link(ann).verified) == ("compared", False)
        link.offer()
        await ann.next("link", "Ben", "connecting")
        await connected(ann, ben)
        assert link.safety_number == ben.link(ann).safety_number != number
        assert not link.verified


async def test_no_call_is_made_with_a_peer_that_has_no_key(server: Server) -> None:
    async with Member(server.base, "Ann", key=KEY) as ann, Member(server.base, "Ben") as ben:
        refused = await ann.next("room", "Refused")
        assert (refused.sender, refused.type, refused.why) == (ben.room.me.id, "offer", "unsealed")
        link = ann.link(ben)
        assert (link.trouble, link.verified, link.safety_number) == ("no key", False, None)


