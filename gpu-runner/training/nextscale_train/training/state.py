"""A run on disk: what it is resumed from, and whether that belongs to the configuration at hand."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nextscale_train.config import Config, OptimiserSection
from nextscale_train.errors import CommandError
from nextscale_train.files import replacing
from nextscale_train.run_folder import Stage

FREE = {"path", "skip_unreadable"}
"""Fields of the data that may change between two parts of a run."""

State = dict[str, Any]
"""Tensors, numbers, strings, and lists and dictionaries of them: what `torch.load` reads with weights_only."""


@dataclass(frozen=True)
class Resumable:
    """Where a stage's state lies, and what of the configuration it depends on."""

    path: Path
    depends_on: dict[str, Any]

    def read(self) -> State | None:
        """The state, on the CPU; None where there is none yet.

        Raises:
            CommandError: it is damaged, or was made with another configuration.
        """
        if not self.path.exists():
            return None
        try:
            state: State = torch.load(self.path, map_location="cpu", weights_only=True)
            made_with: dict[str, Any] = state["depends_on"]
        except Exception as error:
            raise CommandError(f"{self.path} is damaged ({error}): delete it to begin anew.") from error
        for field, value in self.depends_on.items():
            if made_with.get(field) != value:
                raise CommandError(
                    f"{self.path} was made with {field} = {made_with.get(field)}, but the configuration says {value}: "
                    "set it back, choose another run.folder, or delete that file to begin anew."
                )
        return state

    def write(self, state: State) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.path) as partial:
            torch.save({**state, "depends_on": self.depends_on}, partial)


def dependencies(config: Config, stage: Stage) -> dict[str, Any]:
    """Fields that cannot change between two parts of one run, by their names. Steps, rates and the like may."""
    sections: dict[str, Any] = {"data": config.data, "tokenizer": config.tokenizer}
    training: OptimiserSection = config.tokenizer_training
    if stage == "transformer":
        sections["transformer"] = config.transformer
        training = config.transformer_training
    fields = {
        f"{name}.{field}": value
        for name, section in sections.items()
        for field, value in section.model_dump(mode="json").items()
        if field not in FREE
    }
    return {**fields, f"{stage}_training.batch": training.batch, "run.seed": config.run.seed}
