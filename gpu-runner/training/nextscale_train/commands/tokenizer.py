"""`nextscale-train tokenizer`: stage 1."""

import argparse

from nextscale_train.commands.reporting import tell_end
from nextscale_train.config import read_config
from nextscale_train.data.splits import open_pictures
from nextscale_train.run_folder import RunFolder
from nextscale_train.training.loop import train
from nextscale_train.training.processes import join_processes
from nextscale_train.training.tokenizer import TokenizerTask

HELP = "train stage 1: the tokenizer, on pictures"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", metavar="CONFIG", help="the run's TOML file")


def run(options: argparse.Namespace) -> int:
    config = read_config(options.config)
    RunFolder(config.run.folder).make()
    with join_processes(config.run) as processes:
        pictures = open_pictures(config, processes)
        finished = train(TokenizerTask(config, pictures.train, pictures.held_out, processes), config, processes)
        return tell_end(config, "tokenizer", finished, processes)
