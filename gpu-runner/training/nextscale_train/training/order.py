"""What chance decides, from a seed and a place in the run alone: a run that was stopped goes on as if it had not been."""

import hashlib
from collections.abc import Iterator

import torch
from torch import Generator


def seeded(seed: int, *place: object) -> Generator:
    """A generator of its own for each seed and place."""
    name = "/".join(str(part) for part in (seed, *place))
    return Generator().manual_seed(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1)


class Order:
    """Which pictures each step sees: all of them once an epoch, every epoch in another order; a batch may span two."""

    def __init__(self, pictures: int, batch: int, seed: int) -> None:
        self._pictures = pictures
        self._batch = batch
        self._seed = seed
        self._epoch = -1
        self._shuffled: list[int] = []

    def at(self, step: int) -> list[tuple[int, int]]:
        """Index and epoch of each picture of a step, counted from 0."""
        return [self._place(place) for place in range(step * self._batch, (step + 1) * self._batch)]

    def after(self, step: int) -> Iterator[list[tuple[int, int]]]:
        """The batches from `step` on, without end."""
        while True:
            yield self.at(step)
            step += 1

    def _place(self, place: int) -> tuple[int, int]:
        epoch, position = divmod(place, self._pictures)
        if epoch != self._epoch:
            self._shuffled = torch.randperm(self._pictures, generator=seeded(self._seed, "order", epoch)).tolist()
            self._epoch = epoch
        return self._shuffled[position], epoch
