"""Runs so small that both stages take seconds."""

from pathlib import Path

import torch
from PIL import Image, ImageDraw

from nextscale_train.config import Config
from nextscale_train.training.processes import Processes

COLOURS = {"blue": "#2040e0", "green": "#20a040", "red": "#d03020"}

CONFIG = """
[model]
id = "toy"
name = "Toy"

[data]
kind = "folder"
path = "pictures"
held_out = {held_out}

[tokenizer]
vocabulary = 32
code_channels = 8
width = 32
multipliers = [1, 2]
blocks = 1
scales = [1, 2, 3, 4]

[tokenizer_training]
steps = {tokenizer_steps}
batch = 8
learning_rate = 2e-3
warmup = 3
ema = 0.9
revive = 4
{tokenizer_extra}

[transformer]
depth = 2
width = 32
heads = 2

[transformer_training]
steps = {transformer_steps}
batch = 8
learning_rate = 3e-3
warmup = 3
ema = 0.9
views = {views}
{transformer_extra}

[run]
folder = "run"
device = "cpu"
workers = {workers}
log_every = {log_every}
save_every = {save_every}
"""

DEFAULTS: dict[str, object] = {
    "held_out": 0.2,
    "tokenizer_steps": 8,
    "tokenizer_extra": "",
    "transformer_steps": 8,
    "transformer_extra": "",
    "views": 2,
    "workers": 0,
    "log_every": 5,
    "save_every": 1000,
}


ALONE = Processes(0, 1, torch.device("cpu"))


def folder_config(pictures: Path, run: Path, **data: object) -> Config:
    """For pictures of 16 px, none of them held out."""
    run.mkdir(parents=True, exist_ok=True)
    return Config.model_validate(
        {
            "model": {"id": "toy", "name": "Toy"},
            "data": {"kind": "folder", "path": pictures, "held_out": 0, **data},
            "tokenizer": {"multipliers": [1, 1, 1], "scales": [1, 4]},
            "tokenizer_training": {"steps": 1},
            "transformer_training": {"steps": 1},
            "run": {"folder": run, "device": "cpu", "workers": 0},
        }
    )


def make_pictures(root: Path, count: int = 8) -> None:
    """Discs of one colour a class at changing places, 12 px."""
    for name, colour in COLOURS.items():
        (root / name).mkdir(parents=True)
        for index in range(count):
            picture = Image.new("RGB", (12, 12), "white")
            left, top = index % 3, index // 3
            ImageDraw.Draw(picture).ellipse((left, top, left + 8, top + 8), fill=colour)
            picture.save(root / name / f"{index}.png")


def make_run(root: Path, **settings: object) -> Path:
    """A configuration and its pictures; returns the file's path."""
    if not (root / "pictures").exists():
        make_pictures(root / "pictures")
    path = root / "toy.toml"
    path.write_text(CONFIG.format(**{**DEFAULTS, **settings}))
    return path
