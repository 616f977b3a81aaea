"""What commands say at their end."""

from nextscale_train.config import Config
from nextscale_train.run_folder import RunFolder, Stage
from nextscale_train.signals import exit_code
from nextscale_train.telling import say
from nextscale_train.training.loop import Finished
from nextscale_train.training.processes import Processes


def tell_end(config: Config, stage: Stage, finished: Finished, processes: Processes) -> int:
    """Says how far the stage is; returns the exit code of the command, which is that of the signal where one stopped it."""
    if processes.is_first:
        weights = RunFolder(config.run.folder).weights(stage)
        told = f"; averaged weights: {weights}" if finished.step > 0 or finished.steps == 0 else ""
        say(f"{stage}: {finished.step:,} of {finished.steps:,} steps are done{told}")
        if finished.signal and finished.step < finished.steps:
            say("Run the same command again to go on.")
    return exit_code(finished.signal) if finished.signal and finished.step < finished.steps else 0
