"""The test picture: colour bars, a white bar that moves across them in four seconds, and the time of day."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from fractions import Fraction

from aiortc import MediaStreamTrack
from av import VideoFrame

WIDTH, HEIGHT, RATE = 320, 240, 15
#: White, yellow, cyan, green, magenta, red, blue, black as Y, U and V.
COLOURS = [(180, 128, 128), (162, 44, 142), (131, 156, 44), (112, 72, 58), (84, 184, 198), (65, 100, 212), (35, 212, 114), (16, 128, 128)]
BAR, BAR_COLOUR = 24, (235, 128, 128)
#: In rows of three pixels, from the top.
GLYPHS = {
    "0": "111 101 101 101 111",
    "1": "010 110 010 010 111",
    "2": "111 001 111 100 111",
    "3": "111 001 111 001 111",
    "4": "101 101 111 001 001",
    "5": "111 100 111 001 111",
    "6": "111 100 111 101 111",
    "7": "111 001 001 001 001",
    "8": "111 101 111 101 111",
    "9": "111 101 111 001 111",
    ":": "000 010 000 010 000",
}
#: The size of such a pixel, and where the time is, on a black band below the bars.
SCALE, BAND, TOP, LEFT = 8, 176, 188, 32
WHITE, BLACK, GREY = 235, 16, 128


class Bars(MediaStreamTrack):
    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._due = time.monotonic()

    async def recv(self) -> VideoFrame:
        now = time.monotonic()
        # After a delay there is no burst to make up for it.
        self._due = max(self._due + 1 / RATE, now)
        await asyncio.sleep(self._due - now)
        frame = draw(self._due, time.strftime("%H:%M:%S"))
        frame.pts, frame.time_base = int(self._due * 90_000), Fraction(1, 90_000)
        return frame


def draw(seconds: float, text: str) -> VideoFrame:
    frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
    # Even, because two pixels share a colour in each direction.
    at = int(seconds % 4 / 4 * (WIDTH - BAR)) // 2 * 2
    y, u, v = frame.planes
    y.update(padded(brightness(at, text), y.line_size))
    colourless = [bytes([GREY]) * (WIDTH // 2)] * ((HEIGHT - BAND) // 2)
    for component, plane in ((1, u), (2, v)):
        plane.update(padded([row(component, at, 2)] * (BAND // 2) + colourless, plane.line_size))
    return frame


def brightness(at: int, text: str) -> list[bytes]:
    """One row after the other. Few rows differ, so this is fast enough without a library for images."""
    black = bytes([BLACK]) * WIDTH
    rows = [row(0, at, 1)] * BAND + [black] * (HEIGHT - BAND)
    for number, line in enumerate(lettering(text)):
        first = TOP + number * SCALE
        rows[first : first + SCALE] = [black[:LEFT] + line + black[LEFT + len(line) :]] * SCALE
    return rows


def lettering(text: str) -> Iterator[bytes]:
    """White on black, one row of glyph pixels after the other."""
    for line in range(5):
        pixels = "".join(GLYPHS[letter].split()[line] + "0" for letter in text)
        yield b"".join(bytes([WHITE if pixel == "1" else BLACK]) * SCALE for pixel in pixels)


def row(component: int, at: int, step: int) -> bytes:
    """One component of the stripes with the bar on them, for every pixel or every second one."""
    stripes = b"".join(bytes([colour[component]]) * (WIDTH // len(COLOURS)) for colour in COLOURS)
    bar = bytes([BAR_COLOUR[component]]) * BAR
    return (stripes[:at] + bar + stripes[at + BAR :])[::step]


def padded(rows: list[bytes], line: int) -> bytes:
    """A plane's rows may be longer in memory than the picture is wide."""
    return b"".join(row.ljust(line, b"\0") for row in rows)
