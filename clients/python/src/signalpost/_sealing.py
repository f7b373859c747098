"""What one member of a sealed room sends and receives, sealed and opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._events import Refused, Trouble, Why
from ._sealed import FIELDS, RoomKey, Seals, Unusable

#: A repeated message tells nothing about who has which key.
TROUBLES: Mapping[Why, Trouble] = {"unsealed": "no key", "unreadable": "another key"}


class Sealing:
    def __init__(self, key: RoomKey, room: str) -> None:
        self.key = key
        self._seals = Seals(key, room)
        #: What peers lack, by id.
        self.troubles: dict[str, Trouble] = {}
        #: Peers whose messages say more than their cards.
        self._heard: set[str] = set()
        self._changed: set[str] = set()

    def wishes(self, wishes: Mapping[str, Any]) -> dict[str, Any]:
        """A join that tells the server no name."""
        others = {member: value for member, value in wishes.items() if member not in ("name", "metadata")}
        return {**others, "metadata": self._seals.seal_card(wishes)}

    def seal(self, me: str, to: str | None, message: Mapping[str, Any]) -> dict[str, Any]:
        return self._seals.seal(me, to, message)

    def joined(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The response to a join, with cards that can be read."""
        me, _ = self._card(document["peer"])
        return {**document, "peer": me, "peers": [self._peer(peer) for peer in document["peers"]]}

    def opened(self, me: str, batch: Mapping[str, Any]) -> tuple[dict[str, Any], list[Refused]]:
        """A batch without the messages that are not used. All are new: `is_stale` has seen to that."""
        messages: list[Mapping[str, Any]] = []
        refused: list[Refused] = []
        for message in batch["messages"]:
            if message.get("type") == "peer-joined":
                messages.append({**message, "peer": self._peer(message["peer"])})
            elif message.get("type") not in FIELDS:
                messages.append(message)
            else:
                try:
                    messages.append(self._seals.open(me, message))
                    self._note(message["from"], None)
                except Unusable as unusable:
                    refused.append(Refused(message["seq"], message["from"], message["type"], unusable.why))
                    if trouble := TROUBLES.get(unusable.why):
                        self._note(message["from"], trouble)
        return {**batch, "messages": messages}, refused

    def changes(self) -> set[str]:
        """Peers whose trouble has changed since the last call of this."""
        changed, self._changed = self._changed, set()
        return changed

    def _note(self, id: str, trouble: Trouble | None) -> None:
        self._heard.add(id)
        self._set(id, trouble)

    def _set(self, id: str, trouble: Trouble | None) -> None:
        if self.troubles.get(id) == trouble:
            return
        if trouble is None:
            del self.troubles[id]
        else:
            self.troubles[id] = trouble
        self._changed.add(id)

    def _peer(self, document: Mapping[str, Any]) -> dict[str, Any]:
        peer, why = self._card(document)
        if peer["id"] not in self._heard:
            self._set(peer["id"], TROUBLES.get(why) if why else None)
        return peer

    def _card(self, document: Mapping[str, Any]) -> tuple[dict[str, Any], Why | None]:
        """A name that is not sealed is not shown: the server may have chosen it."""
        try:
            name, metadata = self._seals.open_card(document.get("metadata"))
        except Unusable as unusable:
            return {**document, "name": "", "metadata": {}}, unusable.why
        return {**document, "name": name, "metadata": metadata}, None
