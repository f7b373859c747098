"""How long to ask the server to hold a poll. Each proxy has its own idle time-out; this finds it.

Pure functions from one `Hold` to the next. All times are in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

SHORTEST = 5.0
#: The strictest common proxies time out after 30 s.
USUAL = 25.0
#: A poll that ended sooner was not cut because it was idle.
OPEN = 4.0
#: Full holds after which the hold grows again.
GROWS_AFTER = 12


@dataclass(frozen=True)
class Hold:
    #: What to ask for, and what to ask for at most.
    seconds: float
    longest: float
    #: Consecutive full holds.
    quiet: int = 0
    #: Age at which the last poll was cut, if one was.
    cut_at: float | None = None


def fresh(wait_max: float) -> Hold:
    longest = min(USUAL, wait_max)
    return Hold(longest, longest)


def answered(hold: Hold, age: float) -> Hold:
    """A poll was answered, `age` after it was sent."""
    cut_at = None if hold.cut_at is not None and age > hold.cut_at else hold.cut_at
    # The server shortens holds by up to a tenth.
    if age < hold.seconds * 0.85:
        return replace(hold, cut_at=cut_at)
    if hold.quiet + 1 < GROWS_AFTER:
        return replace(hold, cut_at=cut_at, quiet=hold.quiet + 1)
    return replace(hold, cut_at=cut_at, quiet=0, seconds=min(hold.longest, hold.seconds * 1.25))


def timed_out(hold: Hold, age: float) -> Hold:
    """A gateway timed out and responded with an error."""
    seconds = min(hold.longest, max(SHORTEST, min(hold.seconds / 2, age * 0.8)))
    return replace(hold, seconds=seconds, quiet=0, cut_at=None)


def cut(hold: Hold, age: float) -> Hold:
    """The connection was cut. Once is an accident; twice at about the same age is a time-out."""
    if age < OPEN:
        return hold
    if hold.cut_at is not None and abs(hold.cut_at - age) <= max(1.0, age * 0.15):
        return timed_out(hold, age)
    return replace(hold, quiet=0, cut_at=age)
