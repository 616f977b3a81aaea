"""Where the parts of a run are kept."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Literal

from nextscale_train.data.pictures import Split
from nextscale_train.errors import CommandError

Stage = Literal["tokenizer", "transformer"]


@dataclass(frozen=True)
class RunFolder:
    root: Path

    def make(self, name: str = "run.folder") -> None:
        """Makes the folder where there is none; `name` is what people call it.

        Raises:
            CommandError: nothing can be written to it.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=self.root):
                pass
        except OSError as error:
            raise CommandError(f"{name}: {self.root} cannot be written to ({error.strerror}).") from error

    def weights(self, stage: Stage) -> Path:
        """The averaged weights, fp32, published parameter names."""
        return self.root / f"{stage}.safetensors"

    def state(self, stage: Stage) -> Path:
        """Everything a stage is resumed from: weights, average, optimiser, step, state of chance."""
        return self.root / f"{stage}.state.pt"

    def samples(self, stage: Stage, step: int) -> Path:
        """The grid of pictures of one step."""
        return self.root / "samples" / f"{stage}-{step:06d}.png"

    def logs(self, stage: Stage) -> Path:
        """What TensorBoard is pointed at."""
        return self.root / "logs" / stage

    def tokens(self, split: Split) -> Path:
        """The pictures as tokens of the run's tokenizer."""
        return self.root / f"tokens-{split}.safetensors"

    @property
    def pictures(self) -> Path:
        """Which pictures could be read, with the size and time of their files, JSON."""
        return self.root / "pictures.json"

    @property
    def unreadable(self) -> Path:
        """Names of the pictures that could not be read, where they are too many for the terminal."""
        return self.root / "unreadable.txt"

    @property
    def sampling(self) -> Path:
        """The settings that evaluation found to be best: cfg, top_k, top_p, JSON."""
        return self.root / "sampling.json"

    @property
    def judge(self) -> Path:
        """The classifier that samples are judged by."""
        return self.root / "judge.safetensors"
