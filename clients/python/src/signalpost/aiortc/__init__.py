"""Calls with aiortc (`pip install signalpost[aiortc]`).

>>> async with signalpost.join("https://signal.example/", "tea", name="Camera") as room:
...     async with Call(room, [player.video]) as call:
...         call.on("chat", lambda peer, text: call.say(f"{peer.name} said {text}"))
...         await call.wait()
"""

from . import _link
from ._call import Call
from ._card import Card
from ._link import Link
from ._signaling import SignalpostSignaling

LinkState = _link.LinkState
"""`waiting` for the peer's offer, `connecting`, `connected`, `interrupted` (was connected; being repaired), `failed` (no more attempts
until something changes), `closed`."""

Verified = _link.Verified
"""Why nobody can be in between: the room is sealed (`key`), or two people have compared the safety number (`compared`)."""

__all__ = ["Call", "Card", "Link", "LinkState", "SignalpostSignaling", "Verified"]
