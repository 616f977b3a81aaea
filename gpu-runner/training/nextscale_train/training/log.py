"""What a run tells: a progress bar and lines on the terminal, curves and pictures in TensorBoard."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

Measures = Mapping[str, Tensor | float]


class Log:
    """Where the first process of a run tells how it goes; that of the others tells nothing."""

    def __init__(self, writer: SummaryWriter | None, bar: "tqdm[NoReturn]", batch: int) -> None:
        self._writer = writer
        self._bar = bar
        self._batch = batch
        self._last = (bar.n, time.perf_counter())

    def advance(self) -> None:
        self._bar.update()

    def tell(self, step: int, measures: Measures) -> None:
        """Shows what was measured at a step, and how many images a second were trained on since the last time."""
        before, then = self._last
        self._last = (step, time.perf_counter())
        speed = (step - before) * self._batch / max(self._last[1] - then, 1e-9)
        numbers = {name: float(value) for name, value in measures.items()} | {"images/s": speed}
        self._bar.set_postfix_str(" ".join(f"{name} {value:.4g}" for name, value in numbers.items()), refresh=False)
        if self._bar.disable is False:
            tqdm.write(f"{self._bar.desc} {step}: " + ", ".join(f"{name} {value:.4g}" for name, value in numbers.items()))
        for name, value in numbers.items():
            if self._writer is not None:
                self._writer.add_scalar(name, value, step)

    def show(self, step: int, images: Tensor) -> None:
        """Adds a grid of images, B 3 H W in [0, 1], to TensorBoard."""
        if self._writer is not None:
            self._writer.add_images("samples", images.float().cpu(), step)


@contextmanager
def open_log(folder: Path, name: str, steps: int, batch: int, *, first: int, speaks: bool) -> Iterator[Log]:
    writer = SummaryWriter(str(folder), purge_step=first) if speaks else None
    bar = tqdm(total=steps, initial=first, desc=name, unit="step", disable=not speaks, dynamic_ncols=True, smoothing=0.05)
    try:
        yield Log(writer, bar, batch)
    finally:
        bar.close()
        if writer is not None:
            writer.close()
