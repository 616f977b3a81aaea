"""State dicts from files, and the questions sizes are read with."""

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

Role = Literal["tokenizer", "transformer"]
StateDict = Mapping[str, Tensor]

# Where the reference's trainer keeps each.
TRAINER_KEYS: dict[Role, str] = {"tokenizer": "vae_local", "transformer": "var_wo_ddp"}


class CheckpointError(ValueError):
    """A file or state dict that is not what was asked for; the message is a sentence for people."""


def read_checkpoint(path: Path | str, role: Role) -> dict[str, Tensor]:
    """Reads a state dict to the CPU, in the types it is stored in. Nothing in the file is run.

    `.safetensors`, a published `.pth` (a flat state dict), or a training checkpoint of the reference, of which `role`
    says the part.

    Raises:
        CheckpointError: the file is damaged, is no state dict, would run code, or its trainer has no such part.
        OSError: the file cannot be read.
    """
    path = Path(path)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        root: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise CheckpointError(f"{path.name} is no file of tensors alone: {error}") from error
    if isinstance(root, dict) and isinstance(root.get("trainer"), dict):
        root = root["trainer"].get(TRAINER_KEYS[role])
    if not isinstance(root, dict) or not all(isinstance(value, Tensor) for value in root.values()):
        raise CheckpointError(f"{path.name} holds no state dict of a {role}.")
    return dict(root)


def size(state: StateDict, name: str, dim: int) -> int:
    """Size of one dimension of a tensor.

    Raises:
        CheckpointError: no such tensor or dimension.
    """
    tensor = state.get(name)
    if tensor is None or tensor.dim() <= dim:
        raise CheckpointError(f"The state dict has no tensor {name} with {dim + 1} dimensions or more.")
    return tensor.shape[dim]


def count(state: StateDict, name: Callable[[int], str]) -> int:
    """How many of `name(0)`, `name(1)`, ... there are."""
    index = 0
    while name(index) in state:
        index += 1
    return index


def adopt(module: torch.nn.Module, state: StateDict) -> None:
    """Makes the tensors of `state` those of a module built on the meta device; fp32 ones are shared, not copied.

    Raises:
        CheckpointError: a tensor is missing, unknown, or of another shape.
    """
    floats = {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
    try:
        module.load_state_dict(floats, assign=True)
    except RuntimeError as error:
        raise CheckpointError(f"The state dict does not fit: {error}") from error
