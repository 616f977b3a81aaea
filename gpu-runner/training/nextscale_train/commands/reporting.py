"""What commands say at their end."""

from nextscale_train.config import Config
from nextscale_train.run_folder import RunFolder, Stage
from nextscale_train.training.loop import Finished


def tell_end(config: Config, stage: Stage, finished: Finished) -> None:
    weights = RunFolder(config.run.folder).weights(stage)
    print(f"{stage}: {finished.step} of {finished.steps} steps are done; averaged weights: {weights}")
    if finished.step < finished.steps:
        print("Run the same command again to go on.")
