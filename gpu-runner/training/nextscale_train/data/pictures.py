"""What every source of pictures is."""

from abc import ABC, abstractmethod
from typing import Literal

from torch import Tensor
from torch.utils.data import Dataset

Split = Literal["train", "held_out"]


class Pictures(Dataset[tuple[Tensor, int]], ABC):
    """Square pictures of one side with the index of their class. Reading one is safe in any process."""

    classes: tuple[str, ...]
    resolution: int

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    @abstractmethod
    def identity(self) -> str | int:
        """Another one where other pictures are meant, for what is kept of them."""

    @abstractmethod
    def view(self, index: int, view: int) -> tuple[Tensor, int]:
        """One picture, 3 H W uint8, and its label. The same index and view give the same bytes; another view of an index is
        the same subject, flipped or drawn anew.
        """

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.view(index, 0)
