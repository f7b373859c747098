"""aiortc's own interface for signaling, used as in aiortc's examples."""

from __future__ import annotations

import asyncio

import aioice.ice
import pytest
from aiortc import RTCDataChannel, RTCIceCandidate, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.signaling import BYE
from server import Server

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


async def test_candidates_arrive_as_they_were_sent(server: Server) -> None:
    ours, theirs = SignalpostSignaling(server.base, "tea"), SignalpostSignaling(server.base, "tea")
    await asyncio.gather(ours.connect(), theirs.connect())
    sent = RTCIceCandidate(1, "f", "192.0.2.1", 9, 1, "udp", "host", sdpMid="0", sdpMLineIndex=0)
    await ours.send(sent)
    assert await theirs.receive() == sent
    await asyncio.gather(ours.close(), theirs.close())
    assert await theirs.receive() in (BYE, None)
