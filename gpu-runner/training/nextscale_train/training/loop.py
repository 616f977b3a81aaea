"""The loop both stages share: steps, average, logs, grids, and states to go on from."""

import signal
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from nextscale_train.config import Config, OptimiserSection
from nextscale_train.errors import CommandError
from nextscale_train.grid import save_grid
from nextscale_train.run_folder import RunFolder, Stage
from nextscale_train.trained import write_weights
from nextscale_train.training.log import Log, Measures, open_log
from nextscale_train.training.optimise import Average
from nextscale_train.training.processes import Processes
from nextscale_train.training.state import Resumable, State, dependencies

Batch = TypeVar("Batch")


class Task(ABC, Generic[Batch]):
    """What one stage does at each step. Everything it draws comes from the seed and the step."""

    stage: Stage
    section: OptimiserSection
    module: nn.Module
    """What is trained; its average is what is kept."""
    classes: tuple[str, ...] | None = None
    """Names that are written with the weights."""

    @abstractmethod
    def batches(self, step: int) -> Iterator[Batch]:
        """The batches of this process from `step` on, without end."""

    @abstractmethod
    def update(self, batch: Batch, step: int) -> Measures:
        """One step of the optimiser; returns what is worth a curve."""

    @abstractmethod
    def measure(self, average: nn.Module) -> Measures:
        """What the average does with held-out pictures; only the first process is asked."""

    @abstractmethod
    def show(self, average: nn.Module) -> Tensor:
        """A grid of pictures that the average makes, B 3 H W in [0, 1]; only the first process is asked."""

    @abstractmethod
    def state(self) -> State:
        """What `load` needs besides the weights."""

    @abstractmethod
    def load(self, state: State) -> None: ...


@dataclass(frozen=True)
class Finished:
    """How far a stage is; fewer steps than asked for when it was told to stop."""

    step: int
    steps: int


def train(task: Task[Any], config: Config, processes: Processes) -> Finished:
    """Trains until the configured step or until SIGINT or SIGTERM, from the state in the run folder where there is one.

    Raises:
        CommandError: that state is damaged or of another configuration, or the batch cannot be shared by the processes.
    """
    if task.section.batch % processes.count != 0:
        raise CommandError(f"{task.stage}_training.batch must be a multiple of the {processes.count} processes.")
    folder, steps = RunFolder(config.run.folder), task.section.steps
    average = Average(task.module, task.section.ema)
    keeper = Keeper(task, average, folder, Resumable(folder.state(task.stage), dependencies(config, task.stage)))
    step = keeper.resume()
    if step >= steps:
        if processes.is_first:
            write_weights(folder.weights(task.stage), average.module.state_dict(), task.classes)
        processes.wait()
        return Finished(step, steps)
    logs = folder.logs(task.stage)
    with open_log(logs, task.stage, steps, task.section.batch, first=step, speaks=processes.is_first) as log, stops() as stop:
        for batch in task.batches(step):
            measures = task.update(batch, step)
            average.update(task.module, step)
            step += 1
            log.advance()
            is_last = step == steps or stop.is_asked_of_any(processes)
            if processes.is_first and (step % config.run.log_every == 0 or is_last):
                log.tell_progress(step, measures)
            if processes.is_first and (step % config.run.save_every == 0 or is_last):
                keeper.save(step, log)
            if is_last:
                break
    processes.wait()
    return Finished(step, steps)


class Keeper:
    """Writes what a run is resumed from, its averaged weights, and its grids."""

    def __init__(self, task: Task[Any], average: Average, folder: RunFolder, resumable: Resumable) -> None:
        self._task = task
        self._average = average
        self._folder = folder
        self._resumable = resumable

    def resume(self) -> int:
        """Takes up the state there is; returns the step to go on from."""
        state = self._resumable.read()
        if state is None:
            return 0
        self._task.module.load_state_dict(state["module"])
        self._average.module.load_state_dict(state["average"])
        self._task.load(state["task"])
        return int(state["step"])

    def save(self, step: int, log: Log) -> None:
        task, average = self._task, self._average.module
        state = {"step": step, "module": task.module.state_dict(), "average": average.state_dict(), "task": task.state()}
        self._resumable.write(state)
        write_weights(self._folder.weights(task.stage), average.state_dict(), task.classes)
        with torch.random.fork_rng():
            log.tell(step, task.measure(average))
            images = task.show(average)
        save_grid(images, self._folder.samples(task.stage, step), columns=8)
        log.show(step, images)


class Stop:
    """Whether a signal has asked for an end."""

    def __init__(self) -> None:
        self._asked = False
        self._interrupted = False

    def ask(self, number: int, _frame: FrameType | None) -> None:
        # After a Ctrl-C torchrun sends a SIGTERM of its own, which is no second wish.
        if self._interrupted and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._interrupted = self._interrupted or number == signal.SIGINT
        self._asked = True

    def is_asked_of_any(self, processes: Processes) -> bool:
        """Whether any process was asked: all of them end after the same step."""
        if processes.count == 1:
            return self._asked
        return bool(processes.sum_(torch.tensor([int(self._asked)], device=processes.device)).item())


@contextmanager
def stops() -> Iterator[Stop]:
    """Turns the first SIGINT or SIGTERM into a wish that is granted after the step; a second SIGINT interrupts."""
    stop = Stop()
    before = {number: signal.signal(number, stop.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
