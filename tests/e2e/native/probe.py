"""Prints what is in a media file, as JSON, with the times at which its picture changes.

All of it is decoded, so that a file that breaks off or is damaged fails.
"""

import json
import sys
from array import array

import av

before = b""
resampler = av.AudioResampler(format="s16", layout="mono", rate=16000)
with av.open(sys.argv[1]) as container:
    found = {"seconds": container.duration and container.duration / av.time_base, "format": container.format.name}
    for stream in container.streams:
        found[stream.type] = {"codec": stream.codec_context.name, "frames": 0}
    for frame in container.decode():
        kind = "audio" if isinstance(frame, av.AudioFrame) else "video"
        found[kind]["frames"] += 1
        if kind == "video":
            found[kind] |= {"width": frame.width, "height": frame.height}
            # The brightest and the darkest pixel: a picture of nothing has one color.
            luma = bytes(frame.reformat(width=64, height=36, format="gray").planes[0])
            if luma != before:
                found[kind].setdefault("changes", []).append(frame.time)
            before = luma
            found[kind]["contrast"] = max(found[kind].get("contrast", 0), max(luma) - min(luma))
        else:
            for part in resampler.resample(frame):
                samples = array("h", bytes(part.planes[0]))
                found[kind]["peak"] = max([found[kind].get("peak", 0), *map(abs, samples[:part.samples])])

print(json.dumps(found))
