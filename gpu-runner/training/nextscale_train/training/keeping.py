"""What a run keeps on its way: the state it goes on from, its averaged weights, and its grids."""

from typing import Any

import torch

from nextscale_train.config import Config
from nextscale_train.errors import CommandError
from nextscale_train.files import WriteError, writing
from nextscale_train.grid import save_grid
from nextscale_train.run_folder import RunFolder
from nextscale_train.telling import say, tell_duration, warn
from nextscale_train.trained import write_weights
from nextscale_train.training.log import Log, Measures
from nextscale_train.training.optimise import Average
from nextscale_train.training.processes import Processes
from nextscale_train.training.state import Resumable, dependencies
from nextscale_train.training.task import Task
from nextscale_train.training.timetable import AT_LEAST_EVERY_S, Timetable


class Keeper:
    """Of one stage. Only that of the first process writes."""

    def __init__(self, task: Task[Any], average: Average, config: Config, processes: Processes) -> None:
        self._is_first = processes.is_first
        self._task = task
        self._average = average
        self._run = config.run
        self._folder = RunFolder(config.run.folder)
        self._resumable = Resumable(self._folder.state(task.stage), dependencies(config, task.stage))
        self._kept = 0
        """The step of the state on the disk; 0 where there is none."""
        self._timetable = Timetable()

    def resume(self) -> int:
        """Takes up the state there is; returns the step to go on from.

        Raises:
            CommandError: it is damaged, or of another configuration.
        """
        state = self._resumable.read()
        if state is None:
            return 0
        try:
            self._task.module.load_state_dict(state["module"])
            self._average.module.load_state_dict(state["average"])
            self._task.load(state["task"])
            self._kept = int(state["step"])
        except (RuntimeError, ValueError, LookupError) as error:
            raise CommandError(
                f"{self._resumable.path} is of other classes or sizes ({str(error).splitlines()[0]}): "
                "set them back, choose another run.folder, or delete that file to begin anew."
            ) from error
        return self._kept

    def begin(self, step: int) -> None:
        """Says where this run is kept, and begins to count the time."""
        self._timetable = Timetable()
        task, path, often = self._task, self._resumable.path, tell_duration(AT_LEAST_EVERY_S)
        say(
            f"{task.stage}: {step:,} of {task.section.steps:,} steps are done. What is done is kept in {path}: after a minute, "
            f"every {self._run.save_every:,} steps, at least every {often}, and when the run is stopped."
        )

    def tend(self, step: int, measures: Measures, log: Log) -> None:
        """Tells and keeps what is due after a step.

        Raises:
            PictureError: one of the pictures to measure with cannot be read.
        """
        is_last = step == self._task.section.steps
        if step % self._run.log_every == 0 or is_last:
            log.tell_progress(step, measures)
        is_round = step % self._run.save_every == 0 or is_last
        try:
            if is_round or self._timetable.is_due():
                self.keep(step)
                log.tell_kept(step, self._resumable.path)
            if is_round:
                self._look_back(step, log)
        except WriteError as error:
            self._timetable.note_failed()
            warn(f"{error} The run goes on and tries again.")

    def finish(self, step: int) -> None:
        """Sees to it that this step is kept.

        Raises:
            WriteError: it cannot be.
        """
        if not self._is_first or step == self._kept:
            return
        try:
            self.keep(step)
        except WriteError as error:
            raise WriteError(f"{error} {self.tell_kept()}") from error

    def keep(self, step: int) -> None:
        """Writes state and averaged weights.

        Raises:
            WriteError: they cannot be written; those that were there are as before.
        """
        task, average = self._task, self._average.module.state_dict()
        state = {"step": step, "module": task.module.state_dict(), "average": average, "task": task.state()}
        with writing(self._folder.root):
            self._resumable.write(state)
        self._kept = step
        self._timetable.note_kept()
        self.write_weights()

    def write_weights(self) -> None:
        """Writes what the next stage takes.

        Raises:
            WriteError: it cannot be written.
        """
        write_weights(self._folder.weights(self._task.stage), self._average.module.state_dict(), self._task.classes)

    def tell_kept(self) -> str:
        """What is left of a run that cannot go on."""
        if not self._is_first:
            return f"What is kept is in {self._resumable.path}."
        if self._kept == 0:
            return "No step is kept."
        return f"Step {self._kept:,} is kept in {self._resumable.path}: run the same command again to go on."

    def _look_back(self, step: int, log: Log) -> None:
        average = self._average.module
        with torch.random.fork_rng():
            log.tell(step, self._task.measure(average))
            images = self._task.show(average)
        with writing(self._folder.root):
            save_grid(images, self._folder.samples(self._task.stage, step), columns=8)
        log.show(step, images)
