from pathlib import Path

import pytest
import torch
from torch import nn

from nextscale_train import Tokenizer, Transformer
from nextscale_train.config import Config, read_config
from nextscale_train.data.emoji_classes import GLYPHS

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("*.toml"))


def models(config: Config) -> list[nn.Module]:
    sizes = config.tokenizer.sizes()
    with torch.device("meta"):
        return [Tokenizer(sizes), Transformer(config.transformer.sizes(sizes, len(GLYPHS)))]


def test_there_are_three() -> None:
    assert [path.stem for path in CONFIGS] == ["emoji-128", "emoji-32", "folder"]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_each_makes_models_of_the_resolution_it_is_named_after(path: Path) -> None:
    config = read_config(path)
    assert models(config)
    assert config.tokenizer.sizes().resolution == {"emoji-128": 128, "emoji-32": 32, "folder": 128}[path.stem]


def test_what_emoji_128_makes_fits_into_a_repository() -> None:
    config = read_config(CONFIGS[0])
    parameters = sum(parameter.numel() for module in models(config) for parameter in module.parameters())
    assert len(config.tokenizer.scales) == 10
    assert 2 * parameters <= 64_000_000


def test_emoji_32_begins_with_the_shipped_weights() -> None:
    config = read_config(CONFIGS[1])
    for training in (config.tokenizer_training, config.transformer_training):
        assert training.init is not None
        assert training.init.exists()
