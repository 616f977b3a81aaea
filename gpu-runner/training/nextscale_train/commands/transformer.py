"""`nextscale-train transformer`: stage 2."""

import argparse

from nextscale_train.commands.reporting import tell_end
from nextscale_train.config import read_config
from nextscale_train.data import open_pictures
from nextscale_train.trained import read_tokenizer
from nextscale_train.training.loop import train
from nextscale_train.training.processes import join_processes
from nextscale_train.training.tokens import read_tokens
from nextscale_train.training.transformer import TransformerTask

HELP = "train stage 2: the transformer, on the tokens of stage 1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", metavar="CONFIG", help="the run's TOML file")


def run(options: argparse.Namespace) -> None:
    config = read_config(options.config)
    tokenizer = read_tokenizer(config)
    with join_processes(config.run) as processes:
        tokens = read_tokens(config, tokenizer, "train", processes)
        held_out = read_tokens(config, tokenizer, "held_out", processes) if config.data.has_held_out else None
        classes = open_pictures(config, "train").classes
        finished = train(TransformerTask(config, tokenizer, tokens, held_out, classes, processes), config, processes)
    tell_end(config, "transformer", finished)
