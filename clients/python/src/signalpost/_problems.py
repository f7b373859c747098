"""What can go wrong: the server refuses, does not answer, or the room has ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Ending = Literal["superseded", "closed", "kicked"]
Silence = Literal["network", "timeout", "gateway", "foreign", "stale"]


class SignalpostError(Exception):
    """Base of this package's exceptions."""


class Problem(SignalpostError):
    """The server refused a request."""

    document: Mapping[str, Any]
    """The RFC 9457 document, which says what to do."""
    status: int
    """The HTTP status."""
    slug: str
    """The kind of problem (`room-full`, `secret-missing`, …): the last part of the document's `type`."""
    retry_after: float | None
    """Seconds that the server asks to wait before a retry, if it does."""

    def __init__(self, document: Mapping[str, Any], status: int, retry_after: float | None = None) -> None:
        super().__init__(str(document.get("detail") or document.get("title") or status))
        self.document = document
        self.status = status
        self.slug = str(document.get("type", "")).rpartition("/")[2]
        asked = seconds_in(document, "retry_after_ms")
        self.retry_after = retry_after if asked is None else asked


def seconds_in(document: Mapping[str, Any], member: str) -> float | None:
    """A member in milliseconds. None if it is missing, or no length of time."""
    value = document.get(member)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not value >= 0:
        return None
    # Hundreds of digits overflow a `float`. The wait is capped anyway.
    return min(value, 1e12) / 1000


class Unreachable(SignalpostError):
    """No response of the server arrived.

    The network failed, the request timed out, or an intermediary responded instead: a gateway with an error, a captive
    portal with its page (`foreign`), a cache with an old response (`stale`).
    """

    reason: Silence
    """What happened instead."""
    status: int | None
    """The HTTP status of an intermediary's response."""
    retry_after: float | None
    """Seconds that the intermediary asks to wait, if it does."""

    def __init__(self, reason: Silence, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(f"The server cannot be reached ({reason}{f' {status}' if status else ''}).")
        self.reason = reason
        self.status = status
        self.retry_after = retry_after


class RoomEnded(SignalpostError):
    """The room ended before the operation was done."""

    state: Ending
    """How: the room's final state."""

    def __init__(self, state: Ending) -> None:
        super().__init__(f"The room has ended ({state}).")
        self.state = state
