"""Pictures of a real camera or from a file, read by FFmpeg, which comes with aiortc."""

from __future__ import annotations

import sys

from aiortc import MediaStreamTrack
from aiortc.contrib.media import MediaPlayer

#: FFmpeg's input formats for cameras: https://ffmpeg.org/ffmpeg-devices.html
FORMATS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}


def open_device(name: str, format: str | None) -> MediaStreamTrack:
    options = {"video_size": "640x480", "framerate": "30"}
    return video(MediaPlayer(name, format=format or FORMATS.get(sys.platform), options=options), name)


def open_file(path: str) -> MediaStreamTrack:
    return video(MediaPlayer(path, loop=True), path)


def video(player: MediaPlayer, name: str) -> MediaStreamTrack:
    if player.video is None:
        raise OSError(f"{name} has no picture")
    return player.video
