"""What a stage has to say for the loop to train it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

from torch import Tensor, nn

from nextscale_train.config import OptimiserSection
from nextscale_train.run_folder import Stage
from nextscale_train.training.log import Measures
from nextscale_train.training.state import State

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
    def batches(self, step: int) -> AbstractContextManager[Iterator[Batch]]:
        """The batches of this process from `step` on, without end; what reads them ends with the context."""

    @abstractmethod
    def update(self, batch: Batch, step: int) -> Measures:
        """One step of the optimiser; returns what is worth a curve."""

    @abstractmethod
    def has_changed_in(self, step: int) -> bool:
        """Whether an update that did not come to its end has left its traces."""

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
