"""aiortc's own interface for signaling, used as in aiortc's examples."""

from __future__ import annotations

import asyncio

import aioice.ice
import pytest
from aiortc import RTCDataChannel, RTCIceCandidate, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.signaling import BYE
from server import Server

import signalpost
from signalpost.aiortc import SignalpostSignaling

pytestmark = pytest.mark.anyio


async def consume(pc: RTCPeerConnection, signaling: SignalpostSignaling) -> None:
    while (signal := await signaling.receive()) is not BYE:
        if isinstance(signal, RTCSessionDescription):
            await pc.setRemoteDescription(signal)
            if signal.type == "offer":
                await pc.setLocalDescription(await pc.createAnswer())
                await signaling.send(pc.localDescription)
        elif isinstance(signal, RTCIceCandidate):
            await pc.addIceCandidate(signal)


async def test_an_example_of_aiortc_runs_over_it(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    heard: asyncio.Queue[str] = asyncio.Queue()
    offering, answering = RTCPeerConnection(), RTCPeerConnection()
    ours, theirs = SignalpostSignaling(server.base, "tea"), SignalpostSignaling(server.base, "tea")
    await ours.connect()
    channel = offering.createDataChannel("any")
    channel.on("open", lambda: channel.send("hello"))
    await offering.setLocalDescription(await offering.createOffer())
    # Nobody else is there yet.
    sending = asyncio.ensure_future(ours.send(offering.localDescription))

    @answering.on("datachannel")
    def opened(theirs: RTCDataChannel) -> None:
        theirs.on("message", heard.put_nowait)

    await theirs.connect()
    consuming = [asyncio.ensure_future(consume(offering, ours)), asyncio.ensure_future(consume(answering, theirs))]
    assert await heard.get() == "hello"
    await sending
    await ours.close()
    await consuming[1]
    await theirs.close()
    consuming[0].cancel()
    await asyncio.gather(offering.close(), answering.close())


async def test_what_is_no_candidate_is_skipped_and_a_goodbye_is_heard_whatever_the_card(server: Server) -> None:
    """The reader died of one, without a word."""
    signaling = SignalpostSignaling(server.base, "tea")
    await signaling.connect()
    other = await signalpost.join(server.base, "tea", metadata={"one": 1})
    for candidate in ({"candidate": "candidate:1 1 udp"}, {"candidate": "x"}, {"candidate": 7}):
        await other.send(None, "candidate", candidate=candidate)
    await other.send(None, "bye")
    assert await signaling.receive() is BYE
    seat = await other.detach()
    async with signalpost.join(server.base, "tea", metadata={"another": 2}, seat=seat):
        pass
    assert await signaling.receive() is BYE
    await signaling.close()


async def test_sending_ends_with_a_room_in_which_nobody_came(server: Server) -> None:
    signaling = SignalpostSignaling(server.base, "tea")
    await signaling.connect()
    sending = asyncio.ensure_future(signaling.send(RTCSessionDescription("v=0", "offer")))
    await asyncio.sleep(0)
    await signaling.close()
    with pytest.raises(signalpost.RoomEnded):
        await sending


async def test_candidates_arrive_as_they_were_sent(server: Server) -> None:
    ours, theirs = SignalpostSignaling(server.base, "tea"), SignalpostSignaling(server.base, "tea")
    await asyncio.gather(ours.connect(), theirs.connect())
    sent = RTCIceCandidate(1, "f", "192.0.2.1", 9, 1, "udp", "host", sdpMid="0", sdpMLineIndex=0)
    await ours.send(sent)
    assert await theirs.receive() == sent
    await asyncio.gather(ours.close(), theirs.close())
    assert await theirs.receive() in (BYE, None)
