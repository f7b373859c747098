"""Which responses to polls are not the server's: pure functions."""

from __future__ import annotations

from typing import Any

import pytest

from signalpost._stale import Dates, is_stale


def test_a_batch_after_the_cursor_is_the_servers() -> None:
    assert not is_stale({"messages": [{"seq": 6}, {"seq": 7}], "cursor": 7}, 5)
    assert not is_stale({"messages": [], "cursor": 5}, 5)


@pytest.mark.parametrize(
    "batch",
    [
        {"messages": [], "cursor": 4},
        {"messages": [{"seq": 5}], "cursor": 7},
        {"messages": [{"seq": 8}], "cursor": 7},
        {"messages": [{}], "cursor": 7},
        {"messages": [7], "cursor": 7},
        {"messages": {}, "cursor": 7},
        {"messages": [], "cursor": "7"},
        {},
        # These raised an error that ended the room.
        {"messages": [{"seq": None}], "cursor": 7},
        {"messages": [{"seq": "6"}], "cursor": 7},
        {"messages": [{"seq": True}], "cursor": 7},
        {"messages": [None], "cursor": 7},
    ],
)
def test_one_behind_it_or_with_something_else_in_it_is_not(batch: dict[str, Any]) -> None:
    assert is_stale(batch, 5)


def test_the_same_date_for_too_long_is_a_caches() -> None:
    dates = Dates()
    at = dates.is_repeated
    assert [at("one", 0), at("one", 2.4), at("one", 2.5)] == [False, False, True]
    assert [at("two", 2.6), at("two", 5.2), at(None, 5.3), at(None, 9)] == [False, True, False, False]
