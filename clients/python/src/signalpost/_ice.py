"""The room's ICE servers. Their credentials are renewed halfway through their lifetime."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ._backoff import retry_delay
from ._problems import Problem, Unreachable

#: After a refusal without `Retry-After`.
REFUSED = 60.0
SHORTEST = 5.0

Servers = tuple[dict[str, Any], ...]


class IceServers:
    def __init__(self, ask: Callable[[], Awaitable[Mapping[str, Any]]], changed: Callable[[Servers], None]) -> None:
        self._ask = ask
        self._changed = changed
        self._renewing: asyncio.Task[None] | None = None
        self._known = False
        self.current: Servers = ()
        #: The server gives no TURN credentials to a peer that is alone.
        self.withheld = False

    def set(self, servers: list[dict[str, Any]], ttl: object) -> None:
        self.end()
        self.withheld = ttl == 0
        # Those from before are perhaps still valid.
        if not self.withheld or not self.current:
            self.current = tuple(servers)
        # Their lifetime counts from now. The expiry in the user name is by the server's clock, which may differ.
        if isinstance(ttl, (int, float)) and ttl > 0:
            self._renewing = asyncio.ensure_future(self._renew_after(max(SHORTEST, ttl / 2)))
        if self._known:
            self._changed(self.current)
        self._known = True

    async def fetch(self, timeout: float) -> None:
        """Gets what was withheld, now that somebody is there."""
        self.withheld = False
        self.end()
        self._renewing = fetching = asyncio.ensure_future(self._renew_after(0))
        await asyncio.wait({fetching}, timeout=timeout)

    def end(self) -> None:
        if self._renewing is not None and self._renewing is not asyncio.current_task():
            self._renewing.cancel()
        self._renewing = None

    async def _renew_after(self, delay: float) -> None:
        failures = 0
        while True:
            await asyncio.sleep(delay)
            try:
                answer = await self._ask()
            except (Problem, Unreachable) as error:
                wait = retry_delay(error, failures)
                delay = max(SHORTEST, REFUSED if wait is None else wait)
                failures += 1
                continue
            return self.set(answer["ice_servers"], answer.get("ttl_s"))
