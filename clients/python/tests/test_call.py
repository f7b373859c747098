"""Calls between aiortc peers, over real connections on loopback."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import aioice.ice
import pytest
from aiortc import AudioStreamTrack, VideoStreamTrack
from company import Member, chat, connected
from server import Server
from wire import Exchange, Wire, hurrying

from signalpost.aiortc import _call, _link, _patience

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    yield


async def test_chat_and_tracks_go_both_ways(server: Server) -> None:
    async with Member(server.base, "Ann", [VideoStreamTrack(), AudioStreamTrack()]) as ann, Member(server.base, "Ben", [VideoStreamTrack()]) as ben:
        await connected(ann, ben)
        await chat(ann, ben, "hello")
        seen = await ann.next("track", "Ben")
        assert (await seen.recv()).width == 640
        kinds = {(await ben.next("track", "Ann")).kind for _ in range(2)}
        assert kinds == {"audio", "video"}
    assert not ann.call.links


@pytest.mark.parametrize("receive", [True, False])
async def test_tracks_come_across_even_if_the_peer_has_none_to_offer(server: Server, receive: bool) -> None:
    """The later peer offers, and one that neither sends nor wants media offers only the channel."""
    async with Member(server.base, "Ann", [VideoStreamTrack()]) as ann, Member(server.base, "Ben", receive=receive) as ben:
        await connected(ann, ben)
        await chat(ann, ben, "hello")
        if receive:
            assert (await ben.next("track", "Ann")).kind == "video"


async def test_three_peers_are_all_connected(server: Server) -> None:
    async with Member(server.base, "Ann") as ann, Member(server.base, "Ben") as ben, Member(server.base, "Cleo") as cleo:
        for one, other in ((ann, ben), (ben, cleo), (cleo, ann)):
            await connected(one, other)
        for one, other in ((ann, ben), (ben, cleo), (cleo, ann)):
            await chat(one, other, f"{one.room.me.name} and {other.room.me.name}")
        assert ann.call.say("to all") == 2


async def test_one_that_leaves_and_returns_is_connected_again(server: Server) -> None:
    async with Member(server.base, "Ann") as ann:
        for _ in range(2):
            async with Member(server.base, "Ben") as ben:
                await connected(ann, ben)
                await chat(ann, ben, "hello")
            await ann.next("bye", "Ben")
            await ann.next("room", "PeerLeft")
            assert not ann.call.links


async def test_an_ice_server_that_aiortc_does_not_know_is_left_out(server: Server) -> None:
    """Nothing connected, and nothing was tried again."""
    odd = ["stun:[2001:db8::1]:3478", "stun:stun.example?transport=udp", "nonsense"]
    servers: list[dict[str, Any]] = [{"urls": odd}, {"urls": odd[0]}]
    async with Member(server.base, "Ann", ice_servers=servers) as ann, Member(server.base, "Ben") as ben:
        await connected(ann, ben)
        assert ann.call._configuration.iceServers == []
        ann.call._ice_servers = [*servers, {"urls": ["stun:stun.example", odd[0]]}]
        assert [one.urls for one in ann.call._configuration.iceServers or []] == [["stun:stun.example"]]


async def test_a_listener_that_raises_is_reported_and_ends_nothing(server: Server) -> None:
    """It closed the connection, or ended the whole call."""
    reported: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(str(context.get("exception"))))

    def broken(*details: object) -> None:
        raise KeyError("a mistake of the program")

    async with Member(server.base, "Ann", [AudioStreamTrack()]) as ann, Member(server.base, "Ben", [AudioStreamTrack()]) as ben:
        for event in ("chat", "track", "room", "link", "channel"):
            ann.call.on(event, broken)
        await connected(ann, ben)
        await chat(ann, ben, "hello")
        await chat(ann, ben, "again")
        assert ann.link(ben).state == "connected"
    assert reported and set(reported) == {"'a mistake of the program'"}


async def test_of_several_channels_one_that_is_open_is_used(server: Server) -> None:
    """The newest was used, whatever its label and even after it had closed: what was said then was lost."""
    async with Member(server.base, "Ann") as ann, Member(server.base, "Ben") as ben:
        await connected(ann, ben)
        own = ann.link(ben).channel
        channels = {}
        for label in ("chat", "telemetry"):
            opened = asyncio.Event()
            channels[label] = ben.link(ann).pc.createDataChannel(label)
            channels[label].on("open", opened.set)
            await opened.wait()
            channels[label].send("ready")
            assert await ann.next("chat", "Ben") == "ready"
            assert ann.link(ben).channel.label == label
        channels["chat"].send("I am here")
        assert await ann.next("chat", "Ben") == "I am here"
        assert ann.link(ben).channel.label == "chat" and ann.link(ben).channel is not own
        for label in ("chat", "telemetry"):
            closed = asyncio.Event()
            theirs = next(one for one in ann.link(ben)._connection._theirs if one.label == label)
            theirs.on("close", closed.set)
            channels[label].close()
            await closed.wait()
        assert ann.link(ben).channel is own
        await chat(ann, ben, "on the agreed one")


async def test_a_call_survives_a_server_that_lost_everything() -> None:
    async with Server() as server, Wire(server) as wire:
        wire.rule = hurrying
        async with Member(wire.base, "Ann") as ann, Member(wire.base, "Ben") as ben:
            await connected(ann, ben)
            [old] = ann.call.links.values()
            await server.kill()
            await server.start()
            # They know each other by new ids, and connect anew before the old connection is closed.
            await connected(ann, ben)
            await chat(ann, ben, "again")
            await ann.next("link", "Ben", "closed")
            assert old.state == "closed"
            assert list(ann.call.links) == [ben.room.me.id]


async def test_an_offer_or_answer_that_is_lost_is_made_again(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for phase in _patience.FIRST:
        monkeypatch.setitem(_patience.FIRST, phase, 0.5)
    for kind in (b'"offer"', b'"answer"'):
        lost: list[Exchange] = []

        async def losing(exchange: Exchange, kind: bytes = kind, lost: list[Exchange] = lost) -> bytes | None:
            if exchange.is_post and kind in exchange.body and not lost:
                lost.append(exchange)
                # Delivered as something that no link knows what to do with.
                exchange.body = re.sub(rb'"type":' + kind + rb',"sdp":"[^"]*"', b'"type":"data","data":null', exchange.body)
            return await exchange.forward()

        async with Wire(server) as wire:
            wire.rule = losing
            async with Member(wire.base, "Ann") as ann, Member(wire.base, "Ben") as ben:
                await connected(ann, ben)
                await chat(ann, ben, "hello")
        assert lost


async def test_a_repair_does_not_wait_for_a_relay_that_is_gone(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """aiortc takes a minute to give one back, and meanwhile nothing connected."""
    monkeypatch.setattr(_link, "CLOSING", 0.1)
    gone = asyncio.Event()
    async with Member(server.base, "Ann") as ann, Member(server.base, "Ben") as ben:
        await connected(ann, ben)
        old = ann.link(ben).pc
        close = old.close

        async def late() -> None:
            await gone.wait()
            await close()

        monkeypatch.setattr(old, "close", late)
        ann.link(ben).offer()
        await connected(ann, ben)
        assert ann.link(ben).pc is not old
        await chat(ann, ben, "hello again")
    gone.set()


async def test_a_connection_that_breaks_is_replaced(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_patience.FIRST, "interrupted", 0.1)
    async with Member(server.base, "Ann") as ann, Member(server.base, "Ben") as ben:
        await connected(ann, ben)
        pc = ann.link(ben).pc
        # Without a word to the peer, which learns of it by DTLS.
        await pc.close()
        await ben.next("link", "Ann", "interrupted")
        await connected(ann, ben)
        assert ann.link(ben).pc is not pc
        await chat(ann, ben, "hello")


async def test_what_a_card_rules_out_is_not_negotiated(server: Server) -> None:
    rtc = {"channel": False, "direction": "sendonly", "renegotiates": False}
    async with Member(server.base, "Ann", [VideoStreamTrack()]) as ann, Member(server.base, "Camera", [VideoStreamTrack()], rtc=rtc) as camera:
        await ann.next("link", "Camera", "connected")
        assert ann.link(camera).channel is None
        assert (await ann.next("track", "Camera")).kind == "video"
        assert [sender.track for sender in ann.link(camera).pc.getSenders() if sender.track] == []


async def test_a_hang_up_ends_the_call_and_not_the_membership(server: Server) -> None:
    async with Member(server.base, "Ann") as ann, Member(server.base, "Ben") as ben:
        await connected(ann, ben)
        await ann.call.hang_up("tired")
        assert await ben.next("bye", "Ann") == "tired"
        assert ann.room.state == "connected" and not ann.call.links
        ann.call.start()
        await connected(ann, ben)
        await chat(ann, ben, "not so tired")


async def test_a_hang_up_does_not_wait_for_a_server_that_does_not_answer(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: it waited for as long as the server was away, and with it the end of `async with Call(…)`."""
    monkeypatch.setattr(_call, "FAREWELL", 0.1)
    answering = asyncio.Event()

    async def silent(exchange: Exchange) -> bytes | None:
        if exchange.is_post and b'"bye"' in exchange.body:
            await answering.wait()
        return await exchange.forward()

    async with Wire(server) as wire:
        wire.rule = silent
        async with Member(wire.base, "Ann") as ann, Member(server.base, "Ben") as ben:
            await connected(ann, ben)
            await asyncio.wait_for(ann.call.hang_up("tired"), 30)
            assert not ann.call.links and not answering.is_set()
            answering.set()
            assert await ben.next("bye", "Ann") == "tired"
