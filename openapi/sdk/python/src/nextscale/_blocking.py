"""Waiting in a thread; `_async` is the same for asyncio."""

from __future__ import annotations

import time
from collections.abc import Callable

from ._generated.events import GenerationEvent


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def call(callback: Callable[[GenerationEvent], object], event: GenerationEvent) -> None:
    callback(event)
