"""Calls with aiortc (`pip install signalpost[aiortc]`).

>>> async with signalpost.join("https://signal.example/", "tea", name="Camera") as room:
...     async with Call(room, [player.video]) as call:
...         call.on("chat", lambda peer, text: call.say(f"{peer.name} said {text}"))
...         await call.wait()
"""

from ._call import Call
from ._card import Card
from ._link import Link, LinkState, Verified
from ._signaling import SignalpostSignaling

__all__ = ["Call", "Card", "Link", "LinkState", "SignalpostSignaling", "Verified"]
