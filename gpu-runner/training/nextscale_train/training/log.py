"""What a run tells: a progress bar and lines on the terminal, curves and pictures in TensorBoard."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Never

from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

Measures = Mapping[str, Tensor | float]


class Log:
    """Where the first process of a run tells how it goes; that of the others tells nothing."""

    def __init__(self, writer: SummaryWriter | None, bar: "tqdm[Never]", name: str, batch: int) -> None:
        self._name = name
        self._writer = writer
        self._bar = bar
        self._batch = batch
        self._last = (bar.n, time.perf_counter())

    def advance(self) -> None:
        self._bar.update()

    def tell_progress(self, step: int, measures: Measures) -> None:
        """Shows what a step measured, and how many images a second there were since the last time."""
        before, then = self._last
        self._last = (step, time.perf_counter())
        speed = (step - before) * self._batch / max(self._last[1] - then, 1e-9)
        self.tell(step, {**measures, "images/s": speed})

    def tell(self, step: int, measures: Measures) -> None:
        """Shows numbers that belong to a step."""
        if self._writer is None or not measures:
            return
        numbers = {name: float(value) for name, value in measures.items()}
        tqdm.write(f"{self._name} {step}: " + ", ".join(f"{name} {value:.4g}" for name, value in numbers.items()))
        for name, value in numbers.items():
            self._writer.add_scalar(name, value, step)

    def show(self, step: int, images: Tensor) -> None:
        """Adds a grid of images, B 3 H W in [0, 1], to TensorBoard."""
        if self._writer is not None:
            self._writer.add_images("samples", images.float().cpu(), step)


@contextmanager
def open_log(folder: Path, name: str, steps: int, batch: int, *, first: int, speaks: bool) -> Iterator[Log]:
    """A log whose bar begins at step `first`. Where the output is no terminal there is no bar: the lines are enough."""
    writer = SummaryWriter(str(folder), purge_step=first) if speaks else None
    hidden = None if speaks else True
    bar = tqdm(total=steps, initial=first, desc=name, unit="step", disable=hidden, dynamic_ncols=True, smoothing=0.05)
    try:
        yield Log(writer, bar, name, batch)
    finally:
        bar.close()
        if writer is not None:
            writer.close()
