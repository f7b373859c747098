"""Writes a second of video and sound as an encoder would send it: packets.py FILE

One JSON value per line, `{"kind": "video" | "audio", "data": BASE64}`: VP8 frames (a ball on a changing ground, a key frame each third of a
second), then Opus packets (a tone) of 20 ms.
"""
from __future__ import annotations

import base64
import json
import math
import sys
from fractions import Fraction
from struct import pack

import av

RATE, WIDTH, HEIGHT = 15, 320, 180


def frame(number: int) -> av.VideoFrame:
    picture = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
    for plane, value in zip(picture.planes, (40 + 10 * number, 90, 160)):
        plane.update(bytes([value]) * plane.buffer_size)
    luma = picture.planes[0]
    rows = [bytearray(memoryview(luma)[row * luma.line_size : (row + 1) * luma.line_size]) for row in range(HEIGHT)]
    left = 16 + number * 17
    for row in range(70, 110):
        rows[row][left : left + 40] = b"\xeb" * 40
    luma.update(b"".join(rows))
    picture.pts = number
    return picture


def video() -> list[bytes]:
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt, codec.time_base = WIDTH, HEIGHT, "yuv420p", Fraction(1, RATE)
    codec.options = {"deadline": "realtime", "lag-in-frames": "0", "g": "5", "cpu-used": "8"}
    return [bytes(packet) for number in range(RATE) for packet in codec.encode(frame(number))] + [bytes(packet) for packet in codec.encode(None)]


def audio() -> list[bytes]:
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format, codec.time_base = 48000, "stereo", "s16", Fraction(1, 48000)
    packets: list[bytes] = []
    for start in range(0, 48000, 960):
        samples = [round(8000 * math.sin(2 * math.pi * 440 * (start + at) / 48000)) for at in range(960) for _ in range(2)]
        sound = av.AudioFrame(format="s16", layout="stereo", samples=960)
        sound.planes[0].update(pack(f"<{len(samples)}h", *samples))
        sound.sample_rate, sound.pts = 48000, start
        packets += [bytes(packet) for packet in codec.encode(sound)]
    return packets


with open(sys.argv[1], "w", encoding="ascii") as file:
    for kind, packets in (("video", video()), ("audio", audio())):
        for packet in packets:
            file.write(json.dumps({"kind": kind, "data": base64.b64encode(packet).decode()}) + "\n")
