"""Members, messages and endings, with the real server."""

from __future__ import annotations

import asyncio

import pytest
from reading import following
from server import Server
from wire import Exchange, Wire, hurrying

import signalpost
from signalpost import Message, PeerJoined, PeerLeft, Problem, RoomClosed, RoomEnded, StateChanged

pytestmark = pytest.mark.anyio


async def test_members_see_each_other_come_and_go(server: Server) -> None:
    async with signalpost.join(server.base, "tea", name="Ann", metadata={"lang": "de"}) as ann:
        assert ann.created and not ann.peers
        async with signalpost.join(server.base, "tea", name="Ben") as ben:
            assert [(peer.name, peer.metadata) for peer in ben.peers.values()] == [("Ann", {"lang": "de"})]
            assert (await following(ann, PeerJoined)).peer == ben.me
            assert dict(ann.peers) == {ben.me.id: ben.me}
        left = await following(ann, PeerLeft)
        assert (left.peer.name, left.reason) == ("Ben", "left")
        assert not ann.peers
    assert ann.state == "closed"


# A sender that leaves at once is no longer in `peers` when its last message is read.
async def test_a_message_names_a_sender_that_has_left_since(server: Server) -> None:
    async with signalpost.join(server.base, "tea") as ann:
        async with signalpost.join(server.base, "tea", name="Ben") as ben:
            await ben.send(ann.me, "bye", reason="hung up")
        message, left = await following(ann, Message), await following(ann, PeerLeft)
        assert not ann.peers
        assert message.peer is not None and message.peer.name == "Ben" and message.peer == left.peer


async def test_messages_arrive_in_the_order_of_the_calls_and_once(server: Server) -> None:
    async with signalpost.join(server.base, "tea") as ann, signalpost.join(server.base, "tea") as ben:
        sent = [ann.send(ben.me if number % 2 else None, "data", data=number) for number in range(700)]
        for number in range(700):
            assert (await following(ben, Message)).data == number
        places = await asyncio.gather(*sent)
        assert [place.seq for place in places if place.seq is not None] == list(range(2, 701, 2))
        assert {receipt["to"] for place in places for receipt in place.accepted} == {ben.me.id}


async def test_all_kinds_of_messages_arrive_as_they_were_sent(server: Server) -> None:
    kinds: dict[str, dict[str, object]] = {
        "offer": {"sdp": "v=0\r\n"},
        "answer": {"sdp": "v=0\r\nü"},
        "candidate": {"candidate": None},
        "bye": {"reason": "tired"},
        "data": {"data": {"deep": [1, None, "é🍵"]}},
    }
    async with signalpost.join(server.base, "tea") as ann, signalpost.join(server.base, "tea") as ben:
        for kind, members in kinds.items():
            await ann.send(ben.me, kind, **members)
            got = await following(ben, Message)
            assert (got.sender, got.type) == (ann.me.id, kind)
            assert {name: got.members[name] for name in members} == members


async def test_a_message_that_the_server_refuses_fails_alone(server: Server) -> None:
    async with signalpost.join(server.base, "tea") as ann, signalpost.join(server.base, "tea") as ben:
        gone = "00000000-0000-4000-8000-000000000000"
        sent = [ann.send(ben.me, "data", data=1), ann.send(gone, "data", data=2), ann.send(ben.me, "nonsense"), ann.send(ben.me, "data", data=3)]
        results = await asyncio.gather(*sent, return_exceptions=True)
        assert [result.slug for result in results if isinstance(result, Problem)] == ["peer-unknown", "invalid"]
        assert [(await following(ben, Message)).data for _ in range(2)] == [1, 3]
        assert ann.state == "connected"


async def test_what_cannot_be_json_raises_where_it_is_sent(server: Server) -> None:
    async with signalpost.join(server.base, "tea") as ann:
        for data in (object(), float("nan"), "\ud800"):
            with pytest.raises((TypeError, ValueError)):
                ann.send(None, "data", data=data)


async def test_the_link_to_a_room_is_not_the_url_of_a_server() -> None:
    for link in ("https://signal.example.org/?room=tea", "https://signal.example.org#key=secret", "signal.example.org/#key=secret"):
        with pytest.raises(ValueError, match="no query and no fragment") as refused:
            await signalpost.join(link, "tea")
        assert "secret" not in str(refused.value)


async def test_what_is_cancelled_before_it_was_sent_is_not_sent(server: Server) -> None:
    async with signalpost.join(server.base, "tea") as ann, signalpost.join(server.base, "tea") as ben:
        first, second, third = [ann.send(ben.me, "data", data=number) for number in range(3)]
        second.cancel()
        await asyncio.gather(first, third)
        assert [(await following(ben, Message)).data for _ in range(2)] == [0, 2]


async def test_leaving_sends_what_is_queued_and_ends_the_iteration(server: Server) -> None:
    ann = await signalpost.join(server.base, "tea")
    async with signalpost.join(server.base, "tea") as ben:
        for number in range(120):
            ann.send(ben.me, "data", data=number)
        await ann.leave()
        assert [(await following(ben, Message)).data for _ in range(120)] == list(range(120))
        assert (await following(ben, PeerLeft)).reason == "left"
        assert [event.state async for event in ann if isinstance(event, StateChanged)] == ["closed"]
        with pytest.raises(RoomEnded):
            await ann.send(ben.me, "data", data="too late")


async def test_a_refused_join_says_why(server: Server) -> None:
    async with signalpost.join(server.base, "tea", secret="two lumps"), signalpost.join(server.base, "tea", secret="two lumps"):
        with pytest.raises(Problem) as wrong:
            await signalpost.join(server.base, "tea", secret="three lumps")
        with pytest.raises(Problem) as full:
            await signalpost.join(server.base, "tea", secret="two lumps")
        assert [wrong.value.slug, full.value.slug] == ["secret-wrong", "room-full"]
    with pytest.raises(Problem) as unaddressable:
        await signalpost.join(server.base, "..")
    assert unaddressable.value.slug == "room-name-invalid"


async def test_the_creator_closes_the_room_for_all(server: Server) -> None:
    async with signalpost.join(server.base, "tea") as ann, signalpost.join(server.base, "tea") as ben:
        with pytest.raises(RuntimeError):
            await ben.close()
        await ann.close()
        for room in (ann, ben):
            await following(room, RoomClosed)
            assert (await following(room, StateChanged)).state == "closed"


async def test_a_program_that_does_not_read_keeps_its_seat_and_loses_nothing() -> None:
    signs: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def noting(exchange: Exchange) -> bytes | None:
        answer = await hurrying(exchange)
        # A sign of life is a poll that does not wait.
        if exchange.is_poll and "wait=0&" in exchange.path:
            signs.put_nowait(answer)
        return answer

    async with Server("--mailbox-messages", "2000", "--mailbox-bytes", "4000000") as server, Wire(server) as wire:
        wire.rule = noting
        async with signalpost.join(server.base, "tea") as ann, signalpost.join(wire.base, "tea") as ben:
            sent = [ann.send(ben.me, "data", data=number) for number in range(1_800)]
            # Ben reads nothing for more than a lease: there are three in it.
            for _ in range(5):
                sign = await asyncio.wait_for(signs.get(), 60)
                assert sign is not None and sign.startswith(b"HTTP/1.1 200 ")
            for number in range(1_800):
                assert (await following(ben, Message)).data == number
            await asyncio.gather(*sent)
            assert ben.state == "connected" and list(ann.peers) == [ben.me.id]


async def test_a_seat_does_not_show_its_tokens(server: Server) -> None:
    async with signalpost.join(server.base, "tea") as ann:
        assert ann.seat.token not in repr(ann.seat) + repr(ann)
        assert ann.seat.room_token and ann.seat.room_token not in repr(ann.seat)
