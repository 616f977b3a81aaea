from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any

import pytest

from nextscale import AsyncNextscale, Nextscale

from .stand_in import StandIn


class Caller:
    """Calls a client by the name of the method: what comes one by one is gathered."""

    def __init__(self, kind: str, url: str | None, **options: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self.client: Any = (Nextscale if kind == "blocking" else AsyncNextscale)(url, **options)

    def __call__(self, name: str, *args: Any, **options: Any) -> Any:
        result = getattr(self.client, name)(*args, **options)
        if isinstance(result, Iterator):
            return list(result)
        if isinstance(result, AsyncIterator):
            return self._loop.run_until_complete(_gather(result))
        return self._loop.run_until_complete(_value(result)) if isinstance(result, Awaitable) else result

    def close(self) -> None:
        self("close" if isinstance(self.client, Nextscale) else "aclose")
        self._loop.close()


async def _gather(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


async def _value(result: Awaitable[Any]) -> Any:
    return await result


@pytest.fixture(params=["blocking", "asyncio"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server() -> Iterator[StandIn]:
    stand_in = StandIn()
    yield stand_in
    stand_in.close()


@pytest.fixture
def call(kind: str, server: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    """Either client, against the stand-in."""
    monkeypatch.delenv("NEXTSCALE_API_KEY", raising=False)
    caller = Caller(kind, server.url)
    yield caller
    caller.close()


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client would have slept: with this fixture it does not."""
    delays: list[float] = []

    async def sleep(seconds: float) -> None:
        delays.append(seconds)

    monkeypatch.setattr("nextscale._generated.client.sleep", delays.append)
    monkeypatch.setattr("nextscale._async_client.sleep", sleep)
    return delays
