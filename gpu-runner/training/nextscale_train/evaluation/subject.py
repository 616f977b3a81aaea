"""What is evaluated: the models of a run, or those of a model folder."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nextscale_train.checkpoint import read_checkpoint
from nextscale_train.config import Config
from nextscale_train.errors import CommandError
from nextscale_train.export import MANIFEST, defaults
from nextscale_train.sampling import Knobs
from nextscale_train.tokenizer import Tokenizer
from nextscale_train.trained import Trained, read_trained
from nextscale_train.transformer import Transformer


@dataclass(frozen=True)
class Subject:
    """Both models, and the settings that are theirs by default."""

    models: Trained
    knobs: Knobs


def read_subject(config: Config, folder: Path | None) -> Subject:
    """The models of the run, or, where a folder is given, of that.

    Raises:
        CommandError: they are missing, or the folder has none.
    """
    if folder is None:
        models = read_trained(config)
        return Subject(models, defaults(config, models.tokenizer.sizes.vocabulary))
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        scales, files = manifest["scales"], manifest["files"]
        paths = {part: folder / files[part]["path"] for part in ("tokenizer", "transformer")}
        tokenizer = Tokenizer.from_state_dict(read_checkpoint(paths["tokenizer"], "tokenizer"), scales)
        transformer = Transformer.from_state_dict(read_checkpoint(paths["transformer"], "transformer"), scales)
        return Subject(Trained(tokenizer, transformer, tuple(manifest["classes"])), Knobs(**manifest["defaults"]))
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise CommandError(f"--model {folder}: {MANIFEST} or a file it names cannot be read ({error}).") from error


def with_knobs(subject: Subject, cfg: float | None, top_k: int | None, top_p: float | None) -> Knobs:
    """The subject's settings, with those that were chosen in their place.

    Raises:
        CommandError: one of them is out of range.
    """
    own = subject.knobs
    try:
        return Knobs(
            cfg=own.cfg if cfg is None else cfg,
            top_k=own.top_k if top_k is None else top_k,
            top_p=own.top_p if top_p is None else top_p,
        )
    except ValueError as error:
        raise CommandError(str(error)) from error
