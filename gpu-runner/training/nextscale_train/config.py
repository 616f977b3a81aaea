"""What a run is told: one TOML file, checked once, frozen after."""

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from nextscale_train.sizes import TransformerSizes
from nextscale_train.tokenizer import TokenizerSizes


class ConfigError(ValueError):
    """A configuration that cannot be used; the message names the field and what it must be."""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSection(Section):
    """What the exported model folder says of itself."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    name: str = Field(min_length=1)
    description: str = ""
    license: str = Field(default="unspecified", min_length=1)


class DataSection(Section):
    """The pictures. Their side is the tokenizer's resolution."""

    kind: Literal["folder", "emoji"]
    path: Path | None = None
    """folder: the directory with one sub-folder per class; relative to the configuration file."""
    flip: bool = True
    """folder: mirrors every other picture."""
    held_out: float = Field(default=0.05, ge=0, lt=1)
    """folder: the share of pictures that only evaluation sees."""
    skip_unreadable: bool = False
    """folder: goes on without pictures that cannot be read; else they end the run before it begins."""
    pictures: int = Field(default=12_000, ge=1)
    """emoji: how many different renderings there are to train on; evaluation gets others."""
    seed: int = Field(default=0, ge=0, lt=2**32)

    @property
    def identity(self) -> dict[str, object]:
        """The fields that decide which pictures there are and what is seen of them."""
        return self.model_dump(mode="json", exclude={"skip_unreadable"})

    @property
    def has_held_out(self) -> bool:
        """Whether any pictures are kept from training."""
        return self.kind == "emoji" or self.held_out > 0

    @model_validator(mode="after")
    def _has_a_path(self) -> "DataSection":
        if self.kind == "folder" and self.path is None:
            raise ValueError('path is missing: the directory with one sub-folder per class (kind = "folder")')
        return self


class TokenizerSection(Section):
    """Sizes of the tokenizer; those left out are the published one's."""

    vocabulary: int = Field(default=4096, ge=2, le=65_536)
    code_channels: int = Field(default=32, ge=1)
    width: int = Field(default=160, ge=32, multiple_of=32)
    multipliers: tuple[int, ...] = Field(default=(1, 1, 2, 2, 4), min_length=1)
    blocks: int = Field(default=2, ge=1)
    phis: int = Field(default=4, ge=1)
    scales: tuple[int, ...] = Field(default=(1, 2, 3, 4, 5, 6, 8, 10, 13, 16), min_length=2)

    @model_validator(mode="after")
    def _scales_rise(self) -> "TokenizerSection":
        if self.scales[0] < 1 or any(a >= b for a, b in zip(self.scales, self.scales[1:], strict=False)):
            raise ValueError("scales must be positive and rise, as in [1, 2, 3, 4]")
        return self

    def sizes(self) -> TokenizerSizes:
        return TokenizerSizes(**self.model_dump())


class TransformerSection(Section):
    """Sizes of the transformer; width and heads follow from the depth as in the published ones where they are left out."""

    depth: int = Field(default=16, ge=1)
    width: int | None = Field(default=None, ge=1)
    heads: int | None = Field(default=None, ge=1)
    shared_adaln: bool = False

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "TransformerSection":
        width, heads = self._width_and_heads()
        if width % heads != 0:
            raise ValueError(f"width {width} must be a multiple of heads {heads}")
        return self

    def _width_and_heads(self) -> tuple[int, int]:
        width = self.width if self.width is not None else 64 * self.depth
        return width, self.heads if self.heads is not None else max(1, width // 64)

    def sizes(self, tokenizer: TokenizerSizes, classes: int) -> TransformerSizes:
        width, heads = self._width_and_heads()
        return TransformerSizes(
            depth=self.depth,
            width=width,
            heads=heads,
            ffn_width=4 * width,
            classes=classes,
            vocabulary=tokenizer.vocabulary,
            code_channels=tokenizer.code_channels,
            scales=tokenizer.scales,
            shared_adaln=self.shared_adaln,
        )


class OptimiserSection(Section):
    """What both stages are trained with: AdamW, linear warm-up, then a cosine down to `final` of the rate."""

    steps: int = Field(ge=0)
    """Optimiser steps; 0 takes the weights of `init` as they are."""
    batch: int = Field(default=32, ge=1)
    """Images a step over all processes."""
    learning_rate: float = Field(gt=0)
    warmup: int = Field(default=100, ge=0)
    """Steps in which the rate rises."""
    final: float = Field(default=0.02, ge=0, le=1)
    weight_decay: float = Field(default=0.05, ge=0)
    clip: float = Field(default=1.0, gt=0)
    """The gradient's norm at most."""
    ema: float = Field(default=0.999, ge=0, lt=1)
    """Decay of the average of the weights, which is what is kept and exported."""
    init: Path | None = None
    """Weights to start from, .safetensors or .pth; relative to the configuration file."""

    @model_validator(mode="after")
    def _can_be_done(self) -> "OptimiserSection":
        if self.steps == 0 and self.init is None:
            raise ValueError("steps must be at least 1 where there is no init to take the weights from")
        return self


class TokenizerTrainingSection(OptimiserSection):
    """Stage 1."""

    learning_rate: float = Field(default=4e-4, gt=0)
    weight_decay: float = Field(default=1e-4, ge=0)
    commitment: float = Field(default=0.25, ge=0)
    perceptual: float = Field(default=0.5, ge=0)
    """Weight of the perceptual term."""
    adversarial: float = Field(default=0.0, ge=0)
    """Weight of the PatchGAN term; 0 makes no discriminator."""
    adversarial_start: int = Field(default=0, ge=0)
    """The first step with the PatchGAN term."""
    revive: int = Field(default=200, ge=0)
    """Steps between two searches for dead codes; 0 = never."""


class TransformerTrainingSection(OptimiserSection):
    """Stage 2."""

    learning_rate: float = Field(default=1e-3, gt=0)
    clip: float = Field(default=2.0, gt=0)
    label_dropout: float = Field(default=0.1, ge=0, le=1)
    views: int = Field(default=1, ge=1)
    """How often each picture is encoded, each time drawn or mirrored anew, for the cache of tokens."""


class SamplingSection(Section):
    """What sample grids are drawn with and the exported model's defaults are."""

    cfg: float = Field(default=1.5, ge=0, le=20)
    top_k: int = Field(default=0, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)


class RunSection(Section):
    folder: Path
    """Where everything that comes of the run is kept; relative to the configuration file."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """What matrix products are computed in; auto = bf16 on a GPU, fp32 on a CPU."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    workers: int = Field(default=2, ge=0)
    """Processes that read or draw pictures."""
    log_every: int = Field(default=20, ge=1)
    save_every: int = Field(default=500, ge=1)
    """Steps between two states that a run can be resumed from, with a grid of samples each. Without one there is a state after a
    minute, and at least every ten.
    """


class Config(Section):
    """One run: tokenizer and transformer of one model."""

    model: ModelSection
    data: DataSection
    tokenizer: TokenizerSection = TokenizerSection()
    tokenizer_training: TokenizerTrainingSection
    transformer: TransformerSection = TransformerSection()
    transformer_training: TransformerTrainingSection
    sampling: SamplingSection = SamplingSection()
    run: RunSection


def read_config(path: Path | str) -> Config:
    """Reads a configuration; relative paths in it become those seen from its folder.

    Raises:
        ConfigError: the file is missing, no TOML, or a field is unknown or out of range.
    """
    path = Path(path)
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        return _from_folder(Config.model_validate(values), path.resolve().parent)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}.") from error
    except ValidationError as error:
        raise ConfigError("\n".join(f"{path}: {_complaint(each)}" for each in error.errors())) from error


def _complaint(error: object) -> str:
    assert isinstance(error, dict)
    field = ".".join(str(part) for part in error["loc"]) or "the file"
    if error["type"] == "extra_forbidden":
        return f"{field} is not a field."
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{field}: {message[0].lower()}{message[1:]}."


def _from_folder(config: Config, folder: Path) -> Config:
    def moved(section: Section, field: str) -> Section:
        path = getattr(section, field)
        return section if path is None else section.model_copy(update={field: folder / path})

    return config.model_copy(
        update={
            "data": moved(config.data, "path"),
            "run": moved(config.run, "folder"),
            "tokenizer_training": moved(config.tokenizer_training, "init"),
            "transformer_training": moved(config.transformer_training, "init"),
        }
    )
