"""How long the client waits, and for how long it asks to be held: pure functions."""

from __future__ import annotations

import pytest

from signalpost._backoff import backoff, bounded, retry_delay
from signalpost._hold import SHORTEST, answered, cut, fresh, timed_out
from signalpost._membership import _rejoin_delay
from signalpost._problems import Problem, Unreachable


def refused(status: int, slug: str, retry_after: float | None = None) -> Problem:
    return Problem({"type": f"/problems/{slug}"}, status, retry_after)


def test_a_pause_has_full_jitter_below_a_ceiling_that_doubles_up_to_eight_seconds() -> None:
    for failures, ceiling in [(0, 0.5), (1, 1.0), (4, 8.0), (5, 8.0), (5_000, 8.0)]:
        pauses = [backoff(failures) for _ in range(300)]
        assert 0 <= min(pauses) < ceiling * 0.2
        assert ceiling * 0.8 < max(pauses) <= ceiling


@pytest.mark.parametrize("said", [0.0, 1.0, 29.0, 3_600.0, 9e99])
def test_a_requested_delay_is_obeyed_within_bounds(said: float) -> None:
    for error in (Unreachable("gateway", 503, said), refused(429, "rate-limited", said)):
        delay = retry_delay(error, 0)
        assert delay is not None
        assert bounded(said) <= delay <= bounded(said) * 1.2
        assert 0.5 <= delay <= 36


def test_what_does_not_pass_with_time_is_not_retried() -> None:
    final = [(422, "invalid"), (404, "peer-unknown"), (409, "room-full"), (503, "rooms-exhausted"), (413, "body-too-large")]
    assert [slug for status, slug in final if retry_delay(refused(status, slug), 0) is not None] == []
    passing = [(429, "mailbox-full"), (503, "draining"), (503, "engine-unavailable"), (500, "internal")]
    assert [slug for status, slug in passing if retry_delay(refused(status, slug), 0) is None] == []


def test_a_problem_takes_the_delay_from_its_document() -> None:
    said = Problem({"type": "/problems/draining", "retry_after_ms": 1_500}, 503, 9.0)
    assert said.retry_after == 1.5
    assert Problem({"type": "/problems/draining", "retry_after_ms": "soon"}, 503, 9.0).retry_after == 9.0


def test_what_is_no_length_of_time_is_none() -> None:
    """An integer with hundreds of digits raised an error that ended the room."""
    for value in (-1, float("nan"), True, "1", None):
        assert Problem({"retry_after_ms": value}, 503, 9.0).retry_after == 9.0
    for value in (10**400, float("inf"), 1e300):
        said = Problem({"type": "/problems/room-full", "retry_after_ms": value, "frees_in_ms": value}, 409)
        assert said.retry_after == 1e9 and (_rejoin_delay(said, 0) or 0) <= 36


def test_a_poll_asks_for_25_seconds_or_for_less_if_the_server_allows_less() -> None:
    assert fresh(55).seconds == 25
    assert fresh(10).seconds == 10


def test_a_gateway_that_gives_up_halves_the_hold_and_never_below_five_seconds() -> None:
    hold = timed_out(fresh(55), 24)
    assert hold.seconds == 12.5
    for _ in range(3):
        hold = timed_out(hold, hold.seconds)
    assert hold.seconds == SHORTEST
    assert timed_out(fresh(55), 10).seconds == 8, "it learns at once from one that gives up early"
    assert timed_out(fresh(3), 4.5).seconds == 3, "and asks no server for more than it allows"


def test_one_cut_connection_teaches_nothing_and_a_second_at_the_same_age_does() -> None:
    once = cut(fresh(55), 20)
    assert once.seconds == 25
    assert cut(once, 20.8).seconds == 12.5
    assert cut(once, 9).seconds == 25
    assert cut(cut(fresh(55), 2), 2).seconds == 25, "a young poll was not cut for idling"
    assert cut(answered(once, 24.9), 20).seconds == 25, "one that outlived the first cut shows that it was an accident"


def test_the_hold_grows_again_after_twelve_full_holds() -> None:
    hold = timed_out(fresh(55), 10)
    for _ in range(11):
        hold = answered(hold, 8)
    assert hold.seconds == 8
    assert answered(hold, 8).seconds == 10
