"""Processes that read or draw pictures for the one that asks for them."""

import multiprocessing
import os
import signal
import sys
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import Any, TypeVar

from torch.utils.data import DataLoader, Dataset, default_collate

from nextscale_train.data.reading import PictureError
from nextscale_train.errors import CommandError
from nextscale_train.signals import held, ignore

Place = TypeVar("Place")

CONTEXT = "fork" if sys.platform == "linux" else None
"""The server of forks that newer Pythons use would be one more process for a signal to end."""
ADVICE = {
    signal.SIGKILL: ", as happens where memory runs out: set run.workers lower, or use smaller pictures",
    signal.SIGBUS: ", as happens where shared memory is too small: in Docker raise --shm-size, or set run.workers = 0",
}
DYING_S = 10
"""How long a process may take to end after its connections have, as where its memory is written to the disk."""


class ReaderError(CommandError):
    """A process that reads pictures is lost."""


class Careful(Dataset[Any]):
    """Hands over a picture that cannot be read as such: an exception would come with the traceback of another process."""

    def __init__(self, dataset: Dataset[Any]) -> None:
        self._dataset = dataset

    def __getitem__(self, place: object) -> object:
        try:
            return self._dataset[place]
        except PictureError as error:
            return error


def collate_pictures(items: list[object]) -> object:
    """A batch of what was read, or the first error in it."""
    return next((item for item in items if isinstance(item, PictureError)), None) or default_collate(items)


@contextmanager
def reading(
    dataset: Dataset[Any],
    batches: Iterable[Sequence[Place]],
    workers: int,
    *,
    collate: Callable[[list[object]], object] = collate_pictures,
    pin_memory: bool = False,
) -> Iterator[Iterator[Any]]:
    """The batches at these places, read ahead by other processes, or by this one where `workers` is 0.

    The others do not hear of signals that end a run, nor outlive this one. That one of them is lost shows where a batch is asked
    for, and nowhere else: as a ReaderError. A picture that cannot be read shows there too, as a PictureError.
    """
    others = set(multiprocessing.active_children())
    on_lost_child = signal.getsignal(signal.SIGCHLD)
    # PyTorch warns of more workers than cores; that is for the configuration to know.
    with held(), warnings.catch_warnings(action="ignore", category=UserWarning):
        loader = DataLoader(
            Careful(dataset),
            batch_sampler=batches,  # type: ignore[arg-type] # an endless one has no length
            num_workers=workers,
            collate_fn=collate,
            pin_memory=pin_memory,
            worker_init_fn=begin_reader,
            multiprocessing_context=CONTEXT if workers > 0 else None,
        )
        iterator = iter(loader)
        given = batches_of(iterator)
        # PyTorch's handler would raise wherever this process is, as in the middle of a step.
        signal.signal(signal.SIGCHLD, on_lost_child)
    readers = [child for child in multiprocessing.active_children() if child not in others]
    try:
        yield watched(given, readers)
    finally:
        with held():
            given.close()
            # Now that nobody holds it, PyTorch ends the readers that listen, and waits some seconds for those that do not.
            del iterator
            for reader in readers:
                reader.kill()


def batches_of(iterator: Iterator[Any]) -> Generator[Any, None, None]:
    for batch in iterator:
        if isinstance(batch, PictureError):
            raise batch
        yield batch


def watched(batches: Iterator[Any], readers: Sequence[BaseProcess]) -> Iterator[Any]:
    """The batches while all readers live."""
    try:
        yield from batches
    except PictureError:
        raise
    except Exception as error:
        code = exit_code_of_any(readers)
        if code is None:
            raise
        raise ReaderError(f"A process that reads pictures {tell_loss(code)}.") from error


def exit_code_of_any(readers: Sequence[BaseProcess]) -> int | None:
    """That of one that has ended or is about to, which its connections do before it does; None where all live."""
    ending = wait([reader.sentinel for reader in readers], timeout=DYING_S)
    for reader in readers:
        if reader.sentinel in ending:
            reader.join(DYING_S)
    return next((reader.exitcode for reader in readers if reader.exitcode), None)


def tell_loss(code: int) -> str:
    """What became of a process with that exit code, which is below 0 for signals."""
    if code > 0:
        return f"ended with exit code {code}"
    cause = signal.Signals(-code)
    return f"was ended by {cause.name}{ADVICE.get(cause, '')}"


def begin_reader(_number: int) -> None:
    ignore()
    Thread(target=end_with_parent, daemon=True).start()


def end_with_parent() -> None:
    """Ends this process with the one that started it, even if that was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
