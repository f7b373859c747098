"""Recognises responses that a cache has repeated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

#: Responses with the same `Date`, which has a resolution of one second, cannot arrive this far apart.
REPEATED = 2.5


def is_stale(batch: Mapping[str, Any], sent: int) -> bool:
    """Is a batch older than the cursor of the request, and so not the server's?"""
    messages, cursor = batch.get("messages"), batch.get("cursor")
    if not is_number(cursor) or cursor < sent or not isinstance(messages, list):
        return True
    return not all(isinstance(one, dict) and is_number(one.get("seq")) and sent < one["seq"] <= cursor for one in messages)


def is_number(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


class Dates:
    """Recognises repeated responses by `Date`, the time of their origination (RFC 9110, section 6.6.1), which caches keep."""

    def __init__(self) -> None:
        self._date: str | None = None
        self._since = 0.0

    def is_repeated(self, date: str | None, now: float) -> bool:
        if date is None or date != self._date:
            self._since = now
        self._date = date
        return now - self._since >= REPEATED
