"""How long to wait before a failed request is sent again. All times are in seconds."""

from __future__ import annotations

import random

from ._problems import Problem, Unreachable

FIRST = 0.5
LONGEST = 8.0
MIN_RETRY_AFTER = 0.5
MAX_RETRY_AFTER = 30.0

#: Refusals that pass with time.
TEMPORARY = frozenset({"rate-limited", "mailbox-full", "draining"})


def backoff(failures: int) -> float:
    """The pause after failure number `failures` (0 is the first).

    With full jitter, anything from 0 to a ceiling that doubles, so that clients which lost the server together do not
    return together.
    """
    return random.random() * min(LONGEST, FIRST * 2.0 ** min(failures, 30))


def bounded(seconds: float) -> float:
    """A requested delay that a proxy or a mistake may have set: at most two requests a second, and no silence in which a
    seat would expire."""
    return min(MAX_RETRY_AFTER, max(MIN_RETRY_AFTER, seconds))


def retry_delay(error: Exception, failures: int) -> float | None:
    """How long to wait before trying a failed request again, or None if trying again is pointless."""
    if isinstance(error, Problem):
        temporary = error.slug in TEMPORARY or (error.status >= 500 and error.slug != "rooms-exhausted")
        if not temporary:
            return None
    elif not isinstance(error, Unreachable):
        return None
    if error.retry_after is None:
        return backoff(failures)
    # Up to a fifth more, so that clients do not all return at once.
    return bounded(error.retry_after) * (1 + 0.2 * random.random())
