"""A WHEP player on aiortc: whep.py ENDPOINT [TOKEN]

Calls until it is answered. Writes events to stdout, one JSON value per line, and ends when its standard input does.
"""
from __future__ import annotations

import asyncio
import json
import sys
from typing import Any
from urllib.parse import urljoin

import aiohttp
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError


def tell(event: str, **more: Any) -> None:
    print(json.dumps({"event": event, **more}), flush=True)


async def watch(track: MediaStreamTrack) -> None:
    number = 0
    try:
        while True:
            frame = await track.recv()
            number += 1
            if number in (1, 30):
                tell("frame", kind=track.kind, number=number, width=getattr(frame, "width", None))
    except MediaStreamError:
        tell("over", kind=track.kind)


async def play(endpoint: str, headers: dict[str, str]) -> None:
    pc = RTCPeerConnection()
    watching: list[asyncio.Future[None]] = []
    pc.on("track", lambda track: watching.append(asyncio.ensure_future(watch(track))))
    pc.on("connectionstatechange", lambda: tell("state", state=pc.connectionState))
    for kind in ("video", "audio"):
        pc.addTransceiver(kind, direction="recvonly")
    await pc.setLocalDescription(await pc.createOffer())
    async with aiohttp.ClientSession(headers=headers) as http:
        while True:
            async with http.post(endpoint, data=pc.localDescription.sdp.encode(), headers={"content-type": "application/sdp"}) as response:
                text = await response.text()
                tell("answer", status=response.status, text=text)
                if response.status == 201:
                    break
                # Nobody is there, or nobody sends.
                await asyncio.sleep(float(response.headers["retry-after"]))
        session = urljoin(endpoint, response.headers["location"])
        await pc.setRemoteDescription(RTCSessionDescription(text, "answer"))
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        async with http.delete(session) as response:
            tell("stopped", status=response.status)
    await pc.close()


token = sys.argv[2] if len(sys.argv) > 2 else ""
asyncio.run(play(sys.argv[1], {"authorization": f"Bearer {token}"} if token else {}))
