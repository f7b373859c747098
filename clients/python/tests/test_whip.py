"""Encoders and players that call by plain HTTP, with aiortc at both ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from urllib.parse import urljoin

import aiohttp
import aioice.ice
import pytest
from aiortc import AudioStreamTrack, MediaStreamTrack, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from av import VideoFrame
from company import Member
from server import Server
from wire import Exchange, Wire

from signalpost import Peer
from signalpost.aiortc._whip import whip_role

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    yield


class Caller:
    """`async with Caller(base, "whip")` calls everybody in the room."""

    def __init__(self, base: str, kind: str) -> None:
        self._endpoint = f"{base}/v1/rooms/tea/{kind}?name=OBS"
        self.pc = RTCPeerConnection()
        self.tracks: asyncio.Queue[MediaStreamTrack] = asyncio.Queue()
        self.pc.on("track", self.tracks.put_nowait)
        for track in (VideoStreamTrack(), AudioStreamTrack()):
            self.pc.addTransceiver(track if kind == "whip" else track.kind, direction="sendonly" if kind == "whip" else "recvonly")

    async def __aenter__(self) -> Caller:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        async with aiohttp.ClientSession() as http:
            async with http.post(self._endpoint, data=self.pc.localDescription.sdp.encode(), headers={"content-type": "application/sdp"}) as response:
                self.text = await response.text()
                self.status = response.status
        if self.status == 201:
            self.session = urljoin(self._endpoint, response.headers["location"])
            await self.pc.setRemoteDescription(RTCSessionDescription(self.text, "answer"))
        return self

    async def __aexit__(self, *ending: object) -> None:
        await self.pc.close()

    async def delete(self) -> int:
        async with aiohttp.ClientSession() as http, http.delete(self.session) as response:
            return response.status


def test_a_role_takes_an_id_of_the_server_and_a_card() -> None:
    of_server, of_anybody = "0a1b2c3d-0000-8000-8000-000000000001", "0a1b2c3d-0000-4000-8000-000000000001"
    assert whip_role(Peer(of_server, metadata={"whip": "encoder"})) == "encoder"
    assert whip_role(Peer(of_server, metadata={"whip": "player"})) == "player"
    for peer in (Peer(of_anybody, metadata={"whip": "encoder"}), Peer(of_server), Peer(of_server, metadata={"whip": ["encoder"]})):
        assert whip_role(peer) is None


async def test_an_encoder_is_answered_and_heard(server: Server) -> None:
    async with Member(server.base, "Ann", [VideoStreamTrack()]) as ann, Caller(server.base, "whip") as obs:
        assert obs.status == 201
        await ann.next("link", "OBS", "connected")
        kinds = {(await ann.next("track", "OBS")).kind for _ in range(2)}
        assert kinds == {"audio", "video"}
        assert await obs.delete() == 200
        assert await ann.next("bye", "OBS") == "ended"
        assert not ann.call.links


async def several(beats: asyncio.Queue[Exchange], number: int) -> None:
    for _ in range(number):
        await beats.get()


async def test_its_seat_lasts_longer_than_a_lease() -> None:
    beats: asyncio.Queue[Exchange] = asyncio.Queue()

    async def beating(exchange: Exchange) -> bytes | None:
        if exchange.is_post and b'"alive"' in exchange.body:
            beats.put_nowait(exchange)
        return await exchange.forward()

    async with Server("--lease-ms", "10000") as server, Wire(server) as wire:
        wire.rule = beating
        async with Member(wire.base, "Ann") as ann, Caller(server.base, "whip"):
            await ann.next("link", "OBS", "connected")
            left = asyncio.ensure_future(ann.next("room", "PeerLeft"))
            # Three in a lease: the last of these comes after the first would have run out.
            lasted = asyncio.ensure_future(several(beats, 5))
            await asyncio.wait({left, lasted}, return_when=asyncio.FIRST_COMPLETED)
            assert [peer.name for peer in ann.room.peers.values()] == ["OBS"]
            assert not left.done()
            left.cancel()


async def test_a_connection_that_failed_ends_the_session(server: Server) -> None:
    async with Member(server.base, "Ann") as ann, Caller(server.base, "whip") as obs:
        await ann.next("link", "OBS", "connected")
        [link] = ann.call.links.values()
        assert link.pc is not None
        await link.pc.close()
        await ann.next("room", "PeerLeft")
        assert await obs.delete() == 404


async def test_what_is_said_about_an_offer_names_it() -> None:
    """An encoder keeps its peer id when it calls again, so the server has to be told which of its offers this is about."""
    said: asyncio.Queue[dict[str, object]] = asyncio.Queue()

    async def noting(exchange: Exchange) -> bytes | None:
        if exchange.is_post and exchange.body:
            body = json.loads(exchange.body)
            for message in body.get("messages", [body]):
                if message.get("type") in ("answer", "bye"):
                    said.put_nowait(message)
        return await exchange.forward()

    async with Server() as server, Wire(server) as wire:
        wire.rule = noting
        async with Member(wire.base, "Ann") as ann:
            names = set()
            for _ in range(2):
                async with Caller(server.base, "whip") as obs:
                    assert obs.status == 201
                    await ann.next("link", "OBS", "connected")
                    answer = await said.get()
                    assert answer["type"] == "answer"
                    names.add(answer["call"])
                    [link] = ann.call.links.values()
                    assert link.pc is not None
                    await link.pc.close()
                    await ann.next("room", "PeerLeft")
                    bye = await said.get()
                    assert (bye["type"], bye["call"]) == ("bye", answer["call"])
            assert len(names) == 2
        async with Member(wire.base, "Ben", receive=False), Caller(server.base, "whip") as obs:
            assert obs.status == 503
            bye = await said.get()
            assert bye["reason"] == "declined" and isinstance(bye["call"], str) and bye["call"] not in names


async def test_a_player_is_sent_what_there_is(server: Server) -> None:
    async with Member(server.base, "Ann", [VideoStreamTrack()]) as ann, Caller(server.base, "whep") as player:
        assert player.status == 201
        await ann.next("link", "OBS", "connected")
        track = await player.tracks.get()
        frame = await track.recv()
        assert isinstance(frame, VideoFrame) and frame.width == 640


async def test_who_receives_or_sends_nothing_declines(server: Server) -> None:
    async with Member(server.base, "Ann", receive=False):
        for kind, status in (("whip", 503), ("whep", 409)):
            async with Caller(server.base, kind) as caller:
                assert caller.status == status
                # And not that nobody has answered in time.
                assert json.loads(caller.text)["detail"] == "Everybody in the room has declined."
