"""A camera: joins a room, sends a picture to everybody in it, and takes commands by chat.

python camera.py http://127.0.0.1:8080 garden
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal

from aiortc import MediaStreamTrack
from shutter import Shutter
from bars import Bars
from video_input import open_device, open_file

import signalpost
from signalpost.aiortc import Call

#: Tells the others that this peer wants no media (docs/clients.md), so that nobody sends it any.
METADATA = {"rtc": {"direction": "sendonly"}}

HELP = "snapshot: number and size of the frame; pause, resume: stop and restart the picture for everybody"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Joins a room as a camera. Ctrl+C leaves the room.")
    parser.add_argument("server", help="the server's URL: http://127.0.0.1:8080")
    parser.add_argument("room", help="1-64 characters of A-Za-z0-9._~-")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--device", help="a real camera, such as /dev/video0; without it and --file, a test picture is sent")
    source.add_argument("--file", help="a video, repeated from the start when it ends")
    parser.add_argument("--format", help="how to read the device: v4l2, avfoundation, dshow (default: that of this system)")
    parser.add_argument("--name", default="Camera", help="shown to the others (default: %(default)s)")
    parser.add_argument("--viewers", type=int, default=7, help="seats for others if this creates the room (default: %(default)s)")
    parser.add_argument("--secret", help="the room's secret, if it has one")
    return parser.parse_args()


def picture(options: argparse.Namespace) -> MediaStreamTrack:
    if options.device:
        return open_device(options.device, options.format)
    if options.file:
        return open_file(options.file)
    return Bars()


class Camera:
    """Answers the chat of a call that sends `shutter`."""

    def __init__(self, call: Call, shutter: Shutter) -> None:
        self._call = call
        self._shutter = shutter
        call.on("channel", self._greet)
        call.on("chat", self._obey)

    def _greet(self, peer: signalpost.Peer, open: bool) -> None:
        if open:
            self._tell(peer, "paused: write resume" if self._shutter.paused else "a camera: write help")

    def _obey(self, peer: signalpost.Peer, text: str | bytes) -> None:
        """Other texts are for other people in the room."""
        word = text.strip().lower() if isinstance(text, str) else ""
        if word == "help":
            self._tell(peer, HELP)
        elif word == "snapshot":
            self._tell(peer, self._shutter.describe())
        elif word in ("pause", "resume"):
            self._shutter.paused = word == "pause"
            # Everybody sees the picture stop, so everybody is told why.
            self._call.say(f"{word}d by {peer.name or 'somebody'}")

    def _tell(self, peer: signalpost.Peer, text: str) -> None:
        if link := self._call.links.get(peer.id):
            link.say(text)


async def serve(room: signalpost.Room, shutter: Shutter) -> None:
    """Returns when the room ends."""
    call = Call(room, [shutter], receive=False)
    Camera(call, shutter)
    shutter.on("ended", lambda: asyncio.ensure_future(call.close()))
    call.on("room", lambda event: report(event))
    call.start()
    try:
        await call.wait()
        if shutter.readyState == "ended":
            raise OSError("the picture has ended: the device is gone, or something else uses it")
    finally:
        # Leaving the room tells the others, so no `bye` is sent, which would wait for a server that is down.
        await call.close()


def report(event: signalpost.Event) -> None:
    if isinstance(event, signalpost.PeerJoined):
        print(f"{event.peer.name or 'somebody'} is here", flush=True)
    elif isinstance(event, signalpost.PeerLeft):
        print(f"{event.peer.name or 'somebody'} has gone ({event.reason})", flush=True)
    elif isinstance(event, signalpost.StateChanged):
        print(f"room: {event.state}", flush=True)


def unanswered(error: Exception, failures: int, delay: float) -> None:
    print(f"{error} Trying again in {delay:.1f} s.", flush=True)


async def run(options: argparse.Namespace) -> None:
    stop_on_signals()
    shutter = Shutter(picture(options))
    wishes = {"name": options.name, "metadata": METADATA, "capacity": options.viewers + 1, "secret": options.secret}
    try:
        async with signalpost.join(options.server, options.room, on_retry=unanswered, **wishes) as room:
            print(f"in {room.name} as {options.name}", flush=True)
            await serve(room, shutter)
    finally:
        shutter.stop()


def stop_on_signals() -> None:
    """Ends this task from within, so that the room is left."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows has no such handlers; there Ctrl+C raises KeyboardInterrupt.
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)


def main() -> None:
    options = arguments()
    with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
        try:
            asyncio.run(run(options))
        except (signalpost.SignalpostError, OSError, ValueError) as error:
            raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
