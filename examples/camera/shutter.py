"""A video track that can be paused."""

from __future__ import annotations

import time
from fractions import Fraction

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

#: RTP counts the time of video in units of 1/90000 s (RFC 3551, section 5).
CLOCK = 90_000


class Shutter(MediaStreamTrack):
    """Passes on the frames of another track, and counts them.

    While it is paused it drops them, as a lens cap does: a device keeps filming and a file keeps playing, so that
    `resume` shows what is there now and not what was there then.
    """

    kind = "video"

    def __init__(self, source: MediaStreamTrack) -> None:
        super().__init__()
        self.paused = False
        self._source = source
        self._started = time.monotonic()
        self._passed = 0
        self._size = (0, 0)

    async def recv(self) -> VideoFrame:
        while True:
            try:
                frame = await self._source.recv()
            except MediaStreamError:
                # The device was unplugged, or the source was stopped.
                self.stop()
                raise
            if isinstance(frame, VideoFrame) and not self.paused:
                return self._pass(frame)

    def _pass(self, frame: VideoFrame) -> VideoFrame:
        self._passed += 1
        self._size = (frame.width, frame.height)
        # A file that is repeated would otherwise begin at zero again, which receivers take for old frames.
        frame.pts = int((time.monotonic() - self._started) * CLOCK)
        frame.time_base = Fraction(1, CLOCK)
        return frame

    def describe(self) -> str:
        width, height = self._size
        if self._passed == 0:
            return "no frame yet"
        return f"frame {self._passed}, {width}x{height}{', paused' if self.paused else ''}"

    def stop(self) -> None:
        super().stop()
        self._source.stop()
