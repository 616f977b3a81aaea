"""Pictures on their way from disk to the model."""

import torch
from torch import Tensor
from torch.utils.data import Dataset

from nextscale_train.data import Pictures


class Chosen(Dataset[tuple[Tensor, int]]):
    """Pictures by index and view."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures

    def __getitem__(self, place: tuple[int, int]) -> tuple[Tensor, int]:
        return self._pictures.view(*place)


def to_model(images: Tensor, device: torch.device) -> Tensor:
    """Pictures, B 3 H W uint8 -> what the tokenizer takes, B 3 H W in [-1, 1]."""
    return images.to(device, torch.float32, non_blocking=True).div_(127.5).sub_(1)
