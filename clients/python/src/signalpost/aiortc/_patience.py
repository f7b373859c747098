"""How long a link waits before it acts, in seconds. Grows with each attempt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

#: What a link waits for: the peer's offer; an answer, after an offer of the peer's was ignored in favour of ours; a
#: connection; one with a peer that calls by WHIP, which has the answer when all candidates are in it; a broken connection to come back
#: by itself.
Phase = Literal["waiting", "ignored", "connecting", "answered", "interrupted"]

FIRST: dict[Phase, float] = {"waiting": 5.0, "ignored": 3.0, "connecting": 8.0, "answered": 30.0, "interrupted": 3.0}
LONGEST = 60.0
#: With growing patience, about five minutes of trying.
MAX_ATTEMPTS = 8


def patience(phase: Phase, attempts: int, polite: bool) -> float:
    """The polite end waits 1.5 times as long, because two ends that repair at the same moment undo each other's work."""
    return min(LONGEST, FIRST[phase] * 1.5**attempts) * (1.5 if polite else 1)


class Watch:
    """Calls for repair when a phase takes too long."""

    def __init__(self, is_polite: Callable[[], bool], repair: Callable[[Phase], None]) -> None:
        self._is_polite = is_polite
        self._repair = repair
        self._timer: asyncio.TimerHandle | None = None
        #: Failed attempts since the last success.
        self.attempts = 0

    def begin(self, phase: Phase) -> None:
        self.rest()
        seconds = patience(phase, self.attempts, self._is_polite())
        self._timer = asyncio.get_running_loop().call_later(seconds, self._repair, phase)

    def rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def calm(self) -> None:
        """All is well: later waits are short again."""
        self.rest()
        self.attempts = 0
