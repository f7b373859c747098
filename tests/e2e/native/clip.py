"""Writes a video of one second, in which the brightness changes from frame to frame: clip.py FILE"""
from __future__ import annotations

import sys

import av

RATE, WIDTH, HEIGHT = 15, 160, 120

with av.open(sys.argv[1], "w") as container:
    stream = container.add_stream("mpeg4", rate=RATE)
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    for number in range(RATE):
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane, value in zip(frame.planes, (40 + 10 * number, 128, 128)):
            plane.update(bytes([value]) * plane.buffer_size)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())
