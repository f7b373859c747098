from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from server import Server
from wire import Wire


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server with default options, except that no test meets its rate limits by accident."""
    async with Server() as running:
        yield running


@pytest.fixture
async def wire(server: Server) -> AsyncIterator[Wire]:
    async with Wire(server) as proxy:
        yield proxy
