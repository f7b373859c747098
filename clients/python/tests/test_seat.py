"""Seats that are lost, taken again, kept for the next process, or taken over by another one."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import aiohttp
import pytest
from reading import becomes, following
from server import KEPT_KEY, Server
from wire import Exchange, Wire, hurrying

import signalpost
from signalpost import Message, PeerJoined, PeerLeft, Resumed, RoomEnded, Seat, _room

pytestmark = pytest.mark.anyio

#: Time enough for a first poll on a busy machine. Who has one that is held keeps its seat for as long as that and longer.
BRIEF = ("--lease-ms", "4000")


async def test_the_next_process_returns_to_its_seat_and_reads_what_came_meanwhile(server: Server) -> None:
    async with signalpost.join(server.base, "tea") as ben:
        first = await signalpost.join(server.base, "tea", name="Ann")
        me = first.me
        seat = Seat.from_json((await first.detach()).to_json())
        await ben.send(me, "data", data="meanwhile")
        await ben.send(me, "offer", sdp="v=0\r\n for a connection that is gone")
        async with signalpost.join(server.base, "tea", name="Ann", seat=seat) as again:
            assert again.me.id == me.id and not again.created
            await ben.send(me, "offer", sdp="v=0\r\n for this process")
            got = [await following(again, Message) for _ in range(2)]
            assert [(message.type, message.data or message.sdp) for message in got] == [
                ("data", "meanwhile"),
                ("offer", "v=0\r\n for this process"),
            ]


async def test_a_seat_file_is_private_and_gone_after_leaving(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "seat"
    path.write_text("nonsense")
    first = await signalpost.join(server.base, "tea", seat_file=path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await first.detach()
    async with signalpost.join(server.base, "tea", seat_file=path) as again:
        assert again.me.id == first.me.id
    assert list(tmp_path.iterdir()) == []


async def test_with_a_kept_key_the_same_peers_are_back_after_a_crash() -> None:
    async with Server("--token-key", KEPT_KEY) as server:
        async with signalpost.join(server.base, "tea") as ann, signalpost.join(server.base, "tea") as ben:
            before = (ann.me.id, ben.me.id)
            await server.kill()
            await becomes(ann, "reconnecting")
            pending = [ann.send(ben.me, "data", data=number) for number in range(3)]
            await server.start()
            back = await following(ben, Resumed)
            assert (back.lost, back.renamed) == (True, False)
            assert (ann.me.id, ben.me.id) == before
            # Those that were sent before Ben was back are refused: it was not in the room.
            for number, sent in enumerate(await asyncio.gather(*pending, return_exceptions=True)):
                if not isinstance(sent, BaseException):
                    assert (await following(ben, Message)).data == number
            await ann.send(ben.me, "data", data="after")
            assert (await following(ben, Message)).data == "after"


async def test_without_a_kept_key_members_get_new_seats_and_find_each_other() -> None:
    async with Server() as server, Wire(server) as wire:
        wire.rule = hurrying
        async with signalpost.join(wire.base, "tea") as ann, signalpost.join(wire.base, "tea") as ben:
            old = (ann.me.id, ben.me.id)
            # She cannot lose somebody of whom she has not heard.
            await following(ann, PeerJoined)
            await server.kill()
            await server.start()
            assert (await following(ann, Resumed)).renamed
            assert (await following(ben, Resumed)).renamed
            left = await following(ann, PeerLeft)
            assert (left.peer.id, left.reason) == (old[1], "expired")
            assert list(ann.peers) == [ben.me.id]
            await ann.send(ben.me, "data", data="after")
            assert (await following(ben, Message)).data == "after"


async def test_an_expired_peer_is_back_under_the_same_id() -> None:
    async with Server(*BRIEF) as server, Wire(server) as wire:
        open_again = asyncio.Event()

        async def cut(exchange: Exchange) -> bytes | None:
            return await exchange.forward() if open_again.is_set() else await refusing_all_but_joins(exchange)

        wire.rule = cut
        async with signalpost.join(wire.base, "tea") as ann, signalpost.join(server.base, "tea") as ben:
            assert await following(ben, PeerLeft) == PeerLeft(ann.me, "expired")
            open_again.set()
            assert (await following(ben, PeerJoined)).peer.id == ann.me.id
            back = await following(ann, Resumed)
            assert (back.lost, back.renamed) == (True, False)


async def test_a_seat_that_another_process_took_is_left_to_it(server: Server) -> None:
    async with Wire(server) as wire:
        first = await signalpost.join(wire.base, "tea")
        async with signalpost.join(server.base, "tea", seat=first.seat) as second:
            await becomes(first, "superseded")
            polls = len(wire.seen)
            with pytest.raises(RoomEnded) as ended:
                await first.send(None, "data", data=1)
            assert ended.value.state == "superseded"
            await first.leave()
            async with signalpost.join(server.base, "tea") as ben:
                await ben.send(second.me, "data", data="to the second")
                assert (await following(second, Message)).data == "to the second"
        assert len(wire.seen) == polls


async def test_one_that_is_kicked_does_not_come_back(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "seat"
    async with signalpost.join(server.base, "tea") as ann:
        ben = await signalpost.join(server.base, "tea", seat_file=path)
        async with aiohttp.ClientSession() as client:
            token = {"Authorization": f"Bearer {ann.seat.room_token}"}
            async with client.delete(f"{server.base}/v1/rooms/tea/peers/{ben.me.id}", headers=token) as answer:
                assert answer.status == 204
        await becomes(ben, "kicked")
        assert (await following(ann, PeerLeft)).reason == "kicked"
        await ben.leave()
        assert not path.exists()


async def test_a_lost_mailbox_is_found_by_the_cursor() -> None:
    """`cursor-gone`: after a restart somebody took this seat again, so the server knows it, with a new mailbox."""
    async with Server("--token-key", KEPT_KEY) as server, Wire(server) as wire:
        async with signalpost.join(wire.base, "tea") as ann:
            wire.rule = refusing
            await becomes(ann, "reconnecting")
            await server.kill()
            await server.start()
            join = next(one for one in wire.seen if one.is_join)
            async with aiohttp.ClientSession() as client:
                headers = {"Authorization": f"Bearer {ann.seat.token}", "Content-Type": "application/json"}
                async with client.post(server.base + join.path, data=join.body, headers=headers) as answer:
                    assert answer.status == 201
            statuses: list[bytes] = []

            async def noting(exchange: Exchange) -> bytes | None:
                answer = await exchange.forward()
                statuses.append(answer)
                return answer

            wire.rule = noting
            assert (await following(ann, Resumed)).lost
            assert b"/problems/cursor-gone" in statuses[0]


async def refusing(exchange: Exchange) -> bytes | None:
    return None


async def refusing_all_but_joins(exchange: Exchange) -> bytes | None:
    return await exchange.forward() if exchange.is_join else None


async def test_a_room_that_is_full_when_a_member_returns_is_waited_for() -> None:
    async with Server(*BRIEF, "--leave-grace-ms", "100") as server, Wire(server) as wire:
        wire.rule = refusing_all_but_joins
        ann = await signalpost.join(wire.base, "tea")
        async with signalpost.join(server.base, "tea") as ben:
            await following(ben, PeerLeft)
            third = await signalpost.join(server.base, "tea")
            full = asyncio.Event()

            async def noting(exchange: Exchange) -> bytes | None:
                answer = await exchange.forward()
                if b"/problems/room-full" in answer:
                    full.set()
                return answer

            wire.rule = noting
            await full.wait()
            await third.leave()
            await becomes(ann, "connected")
            assert ben.me.id in ann.peers
            await ann.leave()


async def test_a_seat_file_that_cannot_be_written_is_said_to_be_before_the_room_is_joined(server: Server, tmp_path: Path) -> None:
    """The seat was kept by nobody: a ghost, and `room-full` for the next attempt."""
    for _ in range(2):
        with pytest.raises(OSError):
            await signalpost.join(server.base, "tea", seat_file=tmp_path / "missing" / "seat", capacity=1)


async def test_one_that_cannot_be_written_later_does_not_end_the_room(tmp_path: Path) -> None:
    """A member that had just got its seat back was thrown out."""
    folder = tmp_path / "folder"
    folder.mkdir()
    async with Server("--lease-ms", "4000") as server:
        async with signalpost.join(server.base, "tea", seat_file=folder / "seat") as ann:
            (folder / "seat").unlink()
            folder.rmdir()
            await server.kill()
            await server.start()
            await becomes(ann, "connected")
            async with signalpost.join(server.base, "tea", name="Ben") as ben:
                assert ann.me.id in ben.peers


async def test_leaving_that_is_cancelled_leaves_all_the_same(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was given up, and the room went on for ever."""
    monkeypatch.setattr(_room, "FLUSH", 30.0)
    async with Wire(server) as wire:
        arrived, go_on = asyncio.Event(), asyncio.Event()

        async def slow(exchange: Exchange) -> bytes | None:
            if exchange.is_post:
                arrived.set()
                await go_on.wait()
            return await exchange.forward()

        async with signalpost.join(server.base, "tea", name="Ben") as ben:
            ann = await signalpost.join(wire.base, "tea", name="Ann")
            await following(ben, PeerJoined)
            wire.rule = slow
            saying = ann.send(ben.me, "data", data="the last words")
            leaving = asyncio.ensure_future(ann.leave())
            await arrived.wait()
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
            go_on.set()
            assert (await following(ben, Message)).data == "the last words"
            assert (await following(ben, PeerLeft)).reason == "left"
            await ann.leave()
            saying.cancel()
