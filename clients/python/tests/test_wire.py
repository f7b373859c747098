"""What the client makes of lost, doubled, foreign, stale and refused exchanges."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable

import pytest
from reading import becomes, following
from server import KEPT_KEY, Server
from wire import Exchange, Partial, Rule, Wire, body_of, passing, response

import signalpost
from signalpost import Message, Unreachable, _http

pytestmark = pytest.mark.anyio

Fault = Callable[[Exchange], Awaitable["bytes | None"]]


async def cut_before(exchange: Exchange) -> bytes | None:
    return None


async def cut_after(exchange: Exchange) -> bytes | None:
    await exchange.forward()
    return None


async def cut_within(exchange: Exchange) -> bytes | None:
    answer = await exchange.forward()
    return Partial(answer[:-3])


async def twice(exchange: Exchange) -> bytes | None:
    _, answer = await asyncio.gather(exchange.forward(), exchange.forward())
    return answer


async def gateway_before(exchange: Exchange) -> bytes | None:
    return response(502, "<h1>Bad gateway</h1>", Content_Type="text/html")


async def gateway_after(exchange: Exchange) -> bytes | None:
    await exchange.forward()
    return response(504, "<h1>Gateway time-out</h1>", Content_Type="text/html")


async def portal(exchange: Exchange) -> bytes | None:
    return response(200, "<h1>Log in</h1>", Content_Type="text/html")


async def other_json(exchange: Exchange) -> bytes | None:
    return response(200, '{"error": null}', Content_Type="application/json")


async def deep_json(exchange: Exchange) -> bytes | None:
    return response(200, "[" * 200_000, Content_Type="application/json")


FAULTS: list[Fault] = [cut_before, cut_after, cut_within, twice, gateway_before, gateway_after, portal, other_json, deep_json]


def once(fault: Fault, chosen: Callable[[Exchange], bool]) -> Rule:
    """The first request that is chosen meets the fault."""
    met: list[Exchange] = []

    async def rule(exchange: Exchange) -> bytes | None:
        if not met and chosen(exchange):
            met.append(exchange)
            return await fault(exchange)
        return await exchange.forward()

    return rule


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_join_that_meets_a_fault_is_repeated_under_its_key_and_takes_one_seat(wire: Wire, server: Server, fault: Fault) -> None:
    wire.rule = once(fault, lambda exchange: exchange.is_join)
    async with signalpost.join(wire.base, "tea") as ann, signalpost.join(server.base, "tea") as ben:
        assert list(ben.peers) == [ann.me.id]
        joins = [exchange for exchange in wire.seen if exchange.is_join]
        assert len({exchange.key for exchange in joins}) == 1 and joins[0].key
        assert len(joins) == (1 if fault is twice else 2)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_post_that_meets_a_fault_is_repeated_under_its_key_and_delivered_once(wire: Wire, server: Server, fault: Fault) -> None:
    async with signalpost.join(wire.base, "tea") as ann, signalpost.join(server.base, "tea") as ben:
        wire.rule = once(fault, lambda exchange: exchange.is_post)
        assert (await ann.send(ben.me, "data", data="first")).seq == 1
        assert (await ann.send(ben.me, "data", data="second")).seq == 2
        assert [(await following(ben, Message)).data for _ in range(2)] == ["first", "second"]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_poll_that_meets_a_fault_is_repeated_and_nothing_is_lost(wire: Wire, server: Server, fault: Fault) -> None:
    async with signalpost.join(wire.base, "tea") as ann, signalpost.join(server.base, "tea") as ben:
        wire.rule = once(fault, lambda exchange: exchange.is_poll)
        for number in range(3):
            await ben.send(ann.me, "data", data=number)
            assert (await following(ann, Message)).data == number


async def test_a_poll_that_is_cut_is_seen_as_such(wire: Wire, server: Server) -> None:
    # Regression: aiohttp repeated it by itself, so that a proxy's idle limit seemed to be twice as long.
    async with signalpost.join(wire.base, "tea") as ann, signalpost.join(server.base, "tea") as ben:
        wire.rule = once(cut_before, lambda exchange: exchange.is_poll)
        await ben.send(ann.me, "data", data="ends the poll that is parked")
        assert (await becomes(ann, "reconnecting")).error is not None
        await becomes(ann, "connected")


async def test_when_a_request_times_out_those_sent_before_it_are_sent_again(wire: Wire, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a change of network both connections are black holes, and the poll's own limit is 35 s away."""
    polled, swallowed = asyncio.Event(), asyncio.Event()

    async def black_hole(exchange: Exchange) -> bytes | None:
        if exchange.is_poll:
            polled.set()
        await swallowed.wait()
        return None

    monkeypatch.setattr(_http, "TIMEOUT", 0.5)
    async with signalpost.join(server.base, "tea") as ben, signalpost.join(wire.base, "tea") as ann:
        wire.rule = black_hole
        await ben.send(ann.me, "data", data="ends the poll that is parked")
        await polled.wait()
        sent = ann.send(ben.me, "data", data="into the hole")
        while not any(exchange.is_post for exchange in wire.seen):
            await asyncio.sleep(0)
        wire.rule = passing
        await sent
        # Long before the poll's own limit.
        assert (await asyncio.wait_for(following(ann, Message), 20)).data == "ends the poll that is parked"


async def test_on_a_bad_wire_nothing_is_lost_doubled_or_out_of_order(server: Server) -> None:
    chance = random.Random(1)

    async def bad(exchange: Exchange) -> bytes | None:
        return await chance.choice(FAULTS)(exchange) if chance.random() < 0.1 else await exchange.forward()

    async with Wire(server) as one, Wire(server) as other:
        one.rule = other.rule = bad
        async with signalpost.join(one.base, "tea") as ann, signalpost.join(other.base, "tea") as ben:
            sent = [source.send(target.me, "data", data=number) for number in range(500) for source, target in [(ann, ben), (ben, ann)]]
            for room in (ann, ben):
                assert [(await following(room, Message)).data for _ in range(500)] == list(range(500))
            await asyncio.gather(*sent)
    assert len(one.seen) + len(other.seen) > 40


async def test_a_join_tells_of_each_retry_and_can_be_cancelled(wire: Wire) -> None:
    wire.rule = gateway_before
    told: asyncio.Queue[tuple[Exception, int]] = asyncio.Queue()
    joining = asyncio.ensure_future(_joined(wire, lambda error, failures, delay: told.put_nowait((error, failures))))
    for number in (1, 2):
        error, failures = await told.get()
        assert isinstance(error, Unreachable) and (error.reason, error.status, failures) == ("gateway", 502, number)
    joining.cancel()
    with pytest.raises(asyncio.CancelledError):
        await joining


async def _joined(wire: Wire, on_retry: Callable[[Exception, int, float], None]) -> signalpost.Room:
    return await signalpost.join(wire.base, "tea", on_retry=on_retry)


async def test_a_full_mailbox_holds_back_one_recipient_and_not_the_others() -> None:
    async with Server("--mailbox-messages", "20", "--room-capacity", "3") as server, Wire(server) as wire:
        async with signalpost.join(server.base, "tea") as ann, signalpost.join(wire.base, "tea") as ben, signalpost.join(server.base, "tea") as cleo:
            release = asyncio.Event()

            async def holding(exchange: Exchange) -> bytes | None:
                await release.wait()
                return await exchange.forward()

            wire.rule = holding
            sent = [ann.send(ben.me, "data", data=number) for number in range(60)]
            await ann.send(cleo.me, "data", data="past the full mailbox")
            assert (await following(cleo, Message)).data == "past the full mailbox"
            assert not all(one.done() for one in sent)
            release.set()
            assert [(await following(ben, Message)).data for _ in range(60)] == list(range(60))
            await asyncio.gather(*sent)


async def test_a_cache_that_repeats_polls_is_got_around(wire: Wire, server: Server) -> None:
    kept: dict[str, bytes] = {}

    async def caching(exchange: Exchange) -> bytes | None:
        if not exchange.is_poll:
            return await exchange.forward()
        if exchange.path not in kept:
            kept[exchange.path] = await exchange.forward()
        return kept[exchange.path]

    wire.rule = caching
    async with signalpost.join(wire.base, "tea") as ann, signalpost.join(server.base, "tea") as ben:
        for number in range(3):
            await ben.send(ann.me, "data", data=number)
            assert (await following(ann, Message)).data == number
    assert len(wire.seen) < 40


async def test_messages_of_unknown_types_and_with_unknown_members_do_no_harm(wire: Wire, server: Server) -> None:
    async def newer(exchange: Exchange) -> bytes | None:
        answer = await exchange.forward()
        if not exchange.is_poll:
            return answer
        batch = body_of(answer)
        for message in batch["messages"]:
            message["priority"] = 3
            if message["type"] == "data" and message["data"] == "new":
                message["type"] = "newer"
        return response(200, json.dumps(batch), Content_Type="application/json")

    wire.rule = newer
    async with signalpost.join(wire.base, "tea") as ann, signalpost.join(server.base, "tea") as ben:
        await ben.send(ann.me, "data", data="new")
        await ben.send(ann.me, "data", data="old")
        got = await following(ann, Message)
        assert (got.data, got.members["priority"]) == ("old", 3)


async def test_a_server_that_stops_is_returned_to_when_it_is_back() -> None:
    async with Server("--token-key", KEPT_KEY) as server:
        async with signalpost.join(server.base, "tea") as ann:
            me = ann.me.id
            await server.stop()
            drained = await becomes(ann, "reconnecting")
            assert drained.error is not None
            await server.start()
            await becomes(ann, "connected")
            assert ann.me.id == me
