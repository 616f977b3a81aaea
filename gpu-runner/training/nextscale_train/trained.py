"""What the stages of a run have made, for whatever comes after them."""

import json
from dataclasses import dataclass
from pathlib import Path

from safetensors import safe_open
from torch import Tensor

from nextscale_train.checkpoint import read_checkpoint
from nextscale_train.config import Config
from nextscale_train.errors import CommandError
from nextscale_train.files import write_tensors
from nextscale_train.run_folder import RunFolder, Stage
from nextscale_train.tokenizer import Tokenizer
from nextscale_train.transformer import Transformer

CLASSES = "classes"
"""Field of the metadata of a transformer's weights: the names of its classes, JSON."""


@dataclass(frozen=True)
class Trained:
    """Both models of a run, averaged weights, on the CPU, in eval mode."""

    tokenizer: Tokenizer
    transformer: Transformer
    classes: tuple[str, ...]


def read_tokenizer(config: Config) -> Tokenizer:
    """The tokenizer of a run.

    Raises:
        CommandError: it is not trained yet.
        CheckpointError: its file is damaged.
    """
    path = _existing(config, "tokenizer")
    return Tokenizer.from_state_dict(read_checkpoint(path, "tokenizer"), config.tokenizer.scales)


def read_trained(config: Config) -> Trained:
    """Both models of a run.

    Raises:
        CommandError: one of them is not trained yet.
        CheckpointError: a file is damaged.
    """
    tokenizer = read_tokenizer(config)
    path = _existing(config, "transformer")
    transformer = Transformer.from_state_dict(read_checkpoint(path, "transformer"), config.tokenizer.scales)
    return Trained(tokenizer, transformer, _read_classes(path))


def write_weights(path: Path, state: dict[str, Tensor], classes: tuple[str, ...] | None = None) -> None:
    """Writes the weights of a stage; those of a transformer with the names of its classes."""
    write_tensors(path, state, None if classes is None else {CLASSES: json.dumps(classes, ensure_ascii=False)})


def _read_classes(path: Path) -> tuple[str, ...]:
    with safe_open(path, framework="pt") as file:
        return tuple(json.loads((file.metadata() or {}).get(CLASSES, "[]")))


def _existing(config: Config, stage: Stage) -> Path:
    path = RunFolder(config.run.folder).weights(stage)
    if not path.exists():
        raise CommandError(f"{path} is missing: run nextscale-train {stage} with this configuration first.")
    return path
