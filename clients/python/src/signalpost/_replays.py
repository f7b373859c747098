"""Which numbers of sealed messages have been seen, so that none is used twice or after a later one."""

from __future__ import annotations

from dataclasses import dataclass, field

from ._events import Why

#: Only somebody with the key can begin an epoch, so this is a bound for defects. The oldest are forgotten.
MAX_REPLACED = 256


class Unusable(Exception):
    """A message or card that a sealed room does not use."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why: Why = why


@dataclass
class _Sender:
    epoch: str
    #: The highest number, by receiver: this member, or all.
    highest: dict[str, int] = field(default_factory=dict)
    #: Epochs before this one, oldest first.
    replaced: dict[str, None] = field(default_factory=dict)


class Replays:
    """Peers that left are not forgotten: it is the server that says so, and it may repeat their messages."""

    def __init__(self) -> None:
        self._senders: dict[str, _Sender] = {}

    def check(self, sender: str, to: str, epoch: str, number: int) -> None:
        """Notes a number. Raises `Unusable` if it was used, or if a later one was."""
        known = self._senders.setdefault(sender, _Sender(epoch))
        if epoch in known.replaced:
            raise Unusable("outdated")
        if epoch != known.epoch:
            known.replaced[known.epoch] = None
            if len(known.replaced) > MAX_REPLACED:
                del known.replaced[next(iter(known.replaced))]
            known.epoch, known.highest = epoch, {}
        if number <= known.highest.get(to, 0):
            raise Unusable("repeated")
        known.highest[to] = number
