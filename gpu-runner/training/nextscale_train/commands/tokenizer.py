"""`nextscale-train tokenizer`: stage 1."""

import argparse

from nextscale_train.commands.reporting import tell_end
from nextscale_train.config import read_config
from nextscale_train.data import open_pictures
from nextscale_train.training.loop import train
from nextscale_train.training.processes import join_processes
from nextscale_train.training.tokenizer import TokenizerTask

HELP = "train stage 1: the tokenizer, on pictures"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", metavar="CONFIG", help="the run's TOML file")


def run(options: argparse.Namespace) -> None:
    config = read_config(options.config)
    with join_processes(config.run) as processes:
        pictures = open_pictures(config, "train")
        held_out = open_pictures(config, "held_out") if config.data.has_held_out else None
        finished = train(TokenizerTask(config, pictures, held_out, processes), config, processes)
    tell_end(config, "tokenizer", finished)
