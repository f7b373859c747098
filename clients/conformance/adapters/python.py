"""Our Python client, for the kit."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python" / "src"))

import signalpost  # noqa: E402


def say(event: str, **more: Any) -> None:
    print(json.dumps({"event": event, **more}), flush=True)


async def read(room: signalpost.Room) -> None:
    async for event in room:
        match event:
            case signalpost.Message(sender=sender, type="data", data=data):
                say("received", **{"from": sender, "data": data})
            case signalpost.PeerJoined(peer):
                say("arrived", peer=peer.id)
            case signalpost.PeerLeft(peer, reason):
                say("left", peer=peer.id, reason=reason)
            case signalpost.StateChanged(state):
                say("state", state=state)


def acknowledge(number: int, sent: asyncio.Future[signalpost.Sent]) -> None:
    error = None if sent.cancelled() else sent.exception()
    if error is None:
        say("sent", id=number)
    else:
        say("failed", id=number, problem=error.slug if isinstance(error, signalpost.Problem) else type(error).__name__)


async def join(command: dict[str, Any]) -> signalpost.Room | None:
    seat = signalpost.Seat.from_json(command["seat"]) if "seat" in command else None
    try:
        room = await signalpost.join(command["base"], command["room"], name=command["name"], seat=seat, key=command.get("key"))
    except signalpost.Problem as problem:
        say("refused", problem=problem.slug)
        return None
    say("joined", peer=room.me.id, peers=list(room.peers), seat=room.seat.to_json())
    return room


async def main() -> None:
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    room: signalpost.Room | None = None
    reading: asyncio.Task[None] | None = None
    while line := await lines.readline():
        command = json.loads(line)
        if command["do"] == "join" and (room := await join(command)):
            reading = asyncio.ensure_future(read(room))
        elif command["do"] == "send" and room:
            sent = room.send(command["to"], "data", data=command["data"])
            sent.add_done_callback(lambda sent, number=command["id"]: acknowledge(number, sent))
        elif command["do"] == "leave" and room and reading:
            await room.leave()
            return await reading


asyncio.run(main())
