"""`nextscale-train export`: what a run has trained, as a model folder."""

import argparse
from pathlib import Path

import torch

from nextscale_train.config import read_config
from nextscale_train.errors import CommandError
from nextscale_train.export import MANIFEST, export_model
from nextscale_train.trained import read_trained

HELP = "write a model folder that the runner serves"
DTYPES = {"fp16": torch.float16, "fp32": torch.float32}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", metavar="CONFIG", help="the run's TOML file")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where to write it")
    parser.add_argument("--precision", choices=list(DTYPES), default="fp16", help="what the weights are stored in")
    parser.add_argument("--replace", action="store_true", help="write over the model that is there")


def run(options: argparse.Namespace) -> None:
    config = read_config(options.config)
    out: Path = options.out
    if out.exists() and not out.is_dir():
        raise CommandError(f"--out {out} is a file: name a folder.")
    if (out / MANIFEST).exists() and not options.replace:
        raise CommandError(f"--out {out} has a model in it: name another folder, or add --replace.")
    export_model(config, read_trained(config), out, DTYPES[options.precision])
    size = sum(path.stat().st_size for path in out.glob("*.safetensors"))
    print(f"{out} is written, {size / 1e6:.1f} MB of weights. Check it: nextscale models check {out}")
