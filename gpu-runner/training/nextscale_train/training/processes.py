"""One process, or several on one machine that `torchrun` started."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from nextscale_train.config import RunSection
from nextscale_train.errors import CommandError

T = TypeVar("T")


class PeerError(CommandError):
    """Another process of the run is gone."""


@contextmanager
def peers() -> Iterator[None]:
    """For what only succeeds if all processes take part in it."""
    try:
        yield
    except RuntimeError as error:
        raise PeerError("Another process of the run is gone.") from error


@dataclass(frozen=True)
class Processes:
    """Which of how many processes this is, and where it computes."""

    rank: int
    count: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes and shows."""
        return self.rank == 0

    def share(self, batch: Sequence[T]) -> Sequence[T]:
        """The part of a batch that is this process's."""
        size = len(batch) // self.count
        return batch[self.rank * size : (self.rank + 1) * size]

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Makes the gradients the mean over all processes."""
        if self.count == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        with peers():
            dist.all_reduce(flat)
        flat.div_(self.count)
        for gradient, mean in zip(gradients, torch.split(flat, [each.numel() for each in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))

    def autocast(self, run: RunSection) -> torch.autocast:
        """The context in which matrix products are computed in the configured precision."""
        is_bf16 = run.precision == "bf16" or (run.precision == "auto" and self.device.type == "cuda")
        return torch.autocast(self.device.type, torch.bfloat16, enabled=is_bf16)

    def wait(self) -> None:
        """Until all processes have come this far: what the first one writes is there for the others."""
        if self.count > 1:
            self.sum_(torch.zeros(1, device=self.device))

    def gather(self, part: T) -> list[T]:
        """What each process has, in order of their ranks; it must be such that pickle can copy it."""
        if self.count == 1:
            return [part]
        parts: list[Any] = [None] * self.count
        with peers():
            dist.all_gather_object(parts, part)
        return parts

    def sum_(self, tensor: Tensor) -> Tensor:
        """Adds up a tensor over all processes, in place."""
        if self.count > 1:
            with peers():
                dist.all_reduce(tensor)
        return tensor

    def largest(self, numbers: list[int]) -> list[int]:
        """The largest of each number over all processes. Alone it costs nothing, so that a GPU is not waited for."""
        if self.count == 1:
            return numbers
        tensor = torch.tensor(numbers, device=self.device)
        with peers():
            dist.all_reduce(tensor, dist.ReduceOp.MAX)
        return [int(number) for number in tensor]

    def first_says(self, is_so: bool) -> bool:
        """What the first process thinks, for what all must agree on."""
        return is_so if self.count == 1 else bool(self.from_first_(torch.tensor(int(is_so), device=self.device)).item())

    def from_first_(self, tensor: Tensor) -> Tensor:
        """Makes a tensor that of the first process, in place."""
        if self.count > 1:
            with peers():
                dist.broadcast(tensor, src=0)
        return tensor


def choose_device(run: RunSection, local_rank: int) -> torch.device:
    """Device of a process.

    Raises:
        CommandError: `run.device` asks for a GPU and there is none.
    """
    if run.device == "cuda" and not torch.cuda.is_available():
        raise CommandError('run.device is "cuda", but PyTorch finds no GPU: set it to "cpu", or install a build for your GPU.')
    if run.device == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", local_rank)


@contextmanager
def join_processes(run: RunSection) -> Iterator[Processes]:
    """Takes part in the group that `torchrun` describes in the environment, or is alone."""
    count, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    device = choose_device(run, int(os.environ.get("LOCAL_RANK", "0")))
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.set_float32_matmul_precision("high")
    if count == 1:
        yield Processes(0, 1, device)
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Processes(rank, count, device)
    finally:
        dist.destroy_process_group()
