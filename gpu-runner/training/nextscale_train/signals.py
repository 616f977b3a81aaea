"""Signals that end a process, and who hears of them when."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Never

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C; `kill`, `timeout`, systemd, Slurm and Docker; a terminal that is closed."""

Handler = Callable[[int, FrameType | None], None]


@contextmanager
def handled(handler: Handler) -> Iterator[None]:
    """Has `handler` told of the signals that end a process, but of none that this one was started to ignore, as by nohup."""
    before = {number: signal.getsignal(number) for number in ENDING}
    heard = [number for number, current in before.items() if current not in (signal.SIG_IGN, None)]
    for number in heard:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, before[number])


@contextmanager
def held() -> Iterator[None]:
    """Keeps these signals waiting until the block is over. Processes that are started in it never hear of them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ignore() -> None:
    """For processes that only help: their end is the wish of the one they help, which hears of the same signal."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def leave(number: int, _frame: FrameType | None) -> Never:
    """A handler for when there is nothing to keep: ends the process with the exit code that shells give to this signal."""
    raise SystemExit(exit_code(number))


def exit_code(number: int) -> int:
    return 128 + number
