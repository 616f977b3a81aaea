"""Files that are there whole or not at all."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from glob import escape
from hashlib import sha256
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from nextscale_train.errors import CommandError


class WriteError(CommandError):
    """A disk that is full, or a folder that is gone."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; it takes the place of `path` unless the block raises."""
    for left in path.parent.glob(f".{escape(path.name)}.partial-*"):
        # Of a process that was killed.
        left.unlink(missing_ok=True)
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """For what writes to a folder whose disk may be full.

    Raises:
        WriteError: it cannot be written to.
    """
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise WriteError(f"{folder} cannot be written to ({error}).") from error
    except RuntimeError as error:
        # PyTorch's writer says nothing of use to people.
        raise WriteError(f"{folder} cannot be written to, as where its disk is full.") from error


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Writes a safetensors file; folders on the way are made.

    Raises:
        WriteError: it cannot be written.
    """
    on_cpu = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            save_file(on_cpu, partial, dict(metadata or {}))


def hash_file(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        digest = sha256()
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
