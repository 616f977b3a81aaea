"""The loop both stages share."""

from dataclasses import dataclass
from itertools import islice
from typing import Any

from nextscale_train.config import Config
from nextscale_train.data.reading import PictureError
from nextscale_train.errors import CommandError
from nextscale_train.run_folder import RunFolder
from nextscale_train.training.keeping import Keeper
from nextscale_train.training.log import open_log
from nextscale_train.training.optimise import Average
from nextscale_train.training.processes import PeerError, Processes
from nextscale_train.training.stopping import stops
from nextscale_train.training.task import Task


@dataclass(frozen=True)
class Finished:
    """How far a stage is, and the signal that asked for its end, 0 if none did."""

    step: int
    steps: int
    signal: int = 0


def train(task: Task[Any], config: Config, processes: Processes) -> Finished:
    """Trains until the configured step or a signal that ends processes, from the state in the run folder where there is one.

    Raises:
        CommandError: that state is damaged or of another configuration, the batch cannot be shared by the processes, or the run
            cannot go on; what was done is kept then.
    """
    if task.section.batch % processes.count != 0:
        raise CommandError(f"{task.stage}_training.batch must be a multiple of the {processes.count} processes.")
    average = Average(task.module, task.section.ema)
    keeper = Keeper(task, average, config, processes)
    step, steps = keeper.resume(), task.section.steps
    if step >= steps:
        if processes.is_first:
            keeper.write_weights()
        processes.wait()
        return Finished(step, steps)
    logs = RunFolder(config.run.folder).logs(task.stage)
    with (
        open_log(logs, task.stage, steps, task.section.batch, first=step, speaks=processes.is_first) as log,
        stops(processes) as stop,
        task.batches(step) as batches,
    ):
        if processes.is_first:
            keeper.begin(step)
        try:
            for batch in stop.until(islice(batches, steps - step)):
                measures = task.update(batch, step)
                average.update(task.module, step)
                step += 1
                log.advance()
                if processes.is_first:
                    with stop.troubled_by(PictureError):
                        keeper.tend(step, measures, log)
        except PeerError as error:
            if not task.has_changed_in(step):
                keeper.finish(step)
            raise CommandError(f"{error} {keeper.tell_kept()}") from error
        keeper.finish(step)
    stop.conclude(keeper.tell_kept())
    return Finished(step, steps, stop.signal)
