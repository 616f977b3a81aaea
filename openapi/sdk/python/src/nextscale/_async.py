"""Waiting in asyncio; `_blocking` is the same for threads."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable

from ._generated.events import GenerationEvent


async def sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)


async def call(callback: Callable[[GenerationEvent], Awaitable[object] | object], event: GenerationEvent) -> None:
    result = callback(event)
    if inspect.isawaitable(result):
        await result
