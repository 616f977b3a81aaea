"""When a run ends before its last step: a signal asks for it, or something it needs is gone."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from nextscale_train.errors import CommandError
from nextscale_train.signals import handled, leave
from nextscale_train.telling import warn
from nextscale_train.training.processes import PeerError, Processes

Batch = TypeVar("Batch")

PATIENCE = 2
"""How often Ctrl-C may be pressed before what is not kept yet is given up."""


class Stop:
    """Whether the processes of a run are to end, and why."""

    def __init__(self, processes: Processes) -> None:
        self.signal = 0
        """The one that asked for the end, whichever process heard it; 0 if none did."""
        self.trouble: Exception | None = None
        """What keeps this process from going on."""
        self.is_trouble_elsewhere = False
        self._processes = processes
        self._launcher = os.getppid()
        self._presses = 0
        self._is_waiting = False
        self._is_told = False

    def ask(self, number: int, frame: FrameType | None) -> None:
        """A handler: the run ends at once where it waits for a batch, else after its step."""
        self._presses += number == signal.SIGINT
        if self._presses > PATIENCE:
            leave(number, frame)
        if number == signal.SIGINT and self._presses == PATIENCE:
            warn("What is done is being kept. Please wait, or press Ctrl-C once more to lose it.")
        self.signal = self.signal or number
        self._tell()
        if self._is_waiting:
            leave(number, frame)

    def until(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The batches until there are no more or any process is to end: all end after the same one. Each process must have the
        same number of them.
        """
        while True:
            batch = self._wait_for(batches)
            if self._is_over() or batch is None:
                return
            yield batch

    @contextmanager
    def troubled_by(self, kind: type[Exception]) -> Iterator[None]:
        """Takes such an error in the block for a reason to end after this step."""
        try:
            yield
        except kind as error:
            self.trouble = error

    def conclude(self, kept: str) -> None:
        """Waits for the other processes; `kept` is a sentence for what is told otherwise.

        Raises:
            CommandError: one of the processes cannot go on.
        """
        if not isinstance(self.trouble, PeerError):
            self._processes.wait()
        if isinstance(self.trouble, CommandError):
            raise CommandError(f"{self.trouble} {kept}") from self.trouble
        if self.trouble is not None:
            raise self.trouble
        if self.is_trouble_elsewhere:
            raise CommandError(f"Another process of the run cannot go on. {kept}")

    def _wait_for(self, batches: Iterator[Batch]) -> Batch | None:
        """The next batch; None where there is none, or the end comes first."""
        try:
            try:
                self._is_waiting = True
                return None if self.signal else next(batches, None)
            finally:
                self._is_waiting = False
        except SystemExit:
            pass
        except CommandError as error:
            # Its frames hold what reads pictures, which is to end.
            self.trouble = error.with_traceback(None)
        except Exception as error:
            self.trouble = error
        return None

    def _is_over(self) -> bool:
        """Whether any process is to end; tells each of them why."""
        if self._processes.count > 1 and os.getppid() != self._launcher:
            # A torchrun that was killed can send no signal, and another one may go on from the same state.
            self.signal = self.signal or signal.SIGHUP
        try:
            number, is_trouble = self._processes.largest([self.signal, int(self.trouble is not None)])
        except PeerError as error:
            self.trouble = error
            return True
        # One that has come since is for the next time, when all will hear of it.
        self.signal = self.signal or number
        self.is_trouble_elsewhere = is_trouble > 0 and self.trouble is None
        self._tell()
        return number > 0 or is_trouble > 0

    def _tell(self) -> None:
        if self.signal > 0 and self._processes.is_first and not self._is_told:
            self._is_told = True
            warn(f"{signal.Signals(self.signal).name}: what is done is kept, then the run ends.")


@contextmanager
def stops(processes: Processes) -> Iterator[Stop]:
    """Turns signals that would end this process into a wish, which is granted where nothing is lost."""
    stop = Stop(processes)
    with handled(stop.ask):
        yield stop
