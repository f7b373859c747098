"""A program that uses our Python client with aiortc: call.py BASE ROOM

Reads commands from stdin and writes events to stdout, one JSON value per line, like peer.py.
"""
from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "clients/python/src"))

import aioice.ice  # noqa: E402
from aiortc import AudioStreamTrack, MediaStreamTrack, VideoStreamTrack  # noqa: E402

import signalpost  # noqa: E402
from signalpost.aiortc import Call  # noqa: E402

# All traffic stays on this machine.
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]


def tell(event: str, **more: Any) -> None:
    print(json.dumps({"event": event, **more}), flush=True)


async def watch(track: MediaStreamTrack) -> None:
    await track.recv()
    tell("frame", kind=track.kind)


async def meet(room: signalpost.Room) -> Call:
    call = Call(room, [VideoStreamTrack(), AudioStreamTrack()])
    watching: list[asyncio.Future[None]] = []
    call.on("link", lambda peer, state: tell("state", state=state))
    call.on("channel", lambda peer, open: tell("channel", open=open))
    call.on("chat", lambda peer, text: tell("heard", text=text))
    call.on("track", lambda peer, track: watching.append(asyncio.ensure_future(watch(track))))
    call.start()
    tell("joined", peer=room.me.id)
    return call


async def main() -> None:
    base, name = sys.argv[1:]
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command, *rest = json.loads(line)
        if command == "join":
            room = await signalpost.join(base, name, name="Python")
            call = await meet(room)
        elif command == "say":
            call.say(rest[0])
        elif command == "leave":
            await call.hang_up()
            await room.leave()
            tell("gone")


asyncio.run(main())
