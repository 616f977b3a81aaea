"""What a run tells: a progress bar and lines on the terminal, curves and pictures in TensorBoard."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Never

from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from nextscale_train.telling import say, tell_duration, tell_time, warn

Measures = Mapping[str, Tensor | float]


class Curves:
    """What TensorBoard shows. A disk that is full costs a run its curves, not its life."""

    def __init__(self, folder: Path, first: int) -> None:
        """From step `first` on; what was drawn after it is taken back."""
        self._folder = folder
        self._writer: SummaryWriter | None = SummaryWriter(str(folder), purge_step=first)

    def draw(self, add: Callable[[SummaryWriter], object]) -> None:
        if self._writer is None:
            return
        try:
            add(self._writer)
        except OSError as error:
            self._writer = None
            warn(f"{self._folder} cannot be written to ({error}): there will be no more curves.")

    def close(self) -> None:
        self.draw(SummaryWriter.close)


class Log:
    """Where the first process of a run tells how it goes; that of the others tells nothing."""

    def __init__(self, curves: Curves | None, bar: "tqdm[Never]", name: str, steps: int, batch: int) -> None:
        self._name = name
        self._curves = curves
        self._bar = bar
        self._steps = steps
        self._batch = batch
        self._last = (bar.n, time.perf_counter())
        self._done = 0
        self._first_done = time.perf_counter()

    def advance(self) -> None:
        self._bar.update()
        self._done += 1
        if self._done == 1:
            self._first_done = time.perf_counter()

    def tell_progress(self, step: int, measures: Measures) -> None:
        """Shows what a step measured, and how many images a second there were since the last time."""
        before, then = self._last
        self._last = (step, time.perf_counter())
        speed = (step - before) * self._batch / max(self._last[1] - then, 1e-9)
        self.tell(step, {**measures, "images/s": speed}, self._tell_end(step))

    def tell_kept(self, step: int, path: Path) -> None:
        say(f"{self._name} {step}: kept in {path}{self._tell_end(step)}")

    def tell(self, step: int, measures: Measures, more: str = "") -> None:
        """Shows numbers that belong to a step."""
        if self._curves is None or not measures:
            return
        numbers = {name: float(value) for name, value in measures.items()}
        say(f"{self._name} {step}: " + ", ".join(f"{name} {value:.4g}" for name, value in numbers.items()) + more)
        for name, value in numbers.items():
            self._curves.draw(partial(SummaryWriter.add_scalar, tag=name, scalar_value=value, global_step=step))

    def _tell_end(self, step: int) -> str:
        """When the last step will be done, if all take as long as those after the first one have on average."""
        left = self._steps - step
        if self._done < 2 or left == 0:
            return ""
        seconds = left * (time.perf_counter() - self._first_done) / (self._done - 1)
        return f"; ends about {tell_time(time.time() + seconds)}, in {tell_duration(seconds)}"

    def show(self, step: int, images: Tensor) -> None:
        """Adds a grid of images, B 3 H W in [0, 1], to TensorBoard."""
        if self._curves is not None:
            shown = images.float().cpu()
            self._curves.draw(partial(SummaryWriter.add_images, tag="samples", img_tensor=shown, global_step=step))


@contextmanager
def open_log(folder: Path, name: str, steps: int, batch: int, *, first: int, speaks: bool) -> Iterator[Log]:
    """A log whose bar begins at step `first`. Where the output is no terminal there is no bar: the lines are enough."""
    curves = Curves(folder, first) if speaks else None
    hidden = None if speaks else True
    bar = tqdm(total=steps, initial=first, desc=name, unit="step", disable=hidden, dynamic_ncols=True, smoothing=0.05)
    try:
        yield Log(curves, bar, name, steps, batch)
    finally:
        bar.close()
        if curves is not None:
            curves.close()
