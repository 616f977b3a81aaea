"""`nextscale-train transformer`: stage 2."""

import argparse

from nextscale_train.commands.reporting import tell_end
from nextscale_train.config import read_config
from nextscale_train.data.splits import open_pictures
from nextscale_train.run_folder import RunFolder
from nextscale_train.trained import read_tokenizer
from nextscale_train.training.loop import train
from nextscale_train.training.processes import join_processes
from nextscale_train.training.tokens import read_tokens
from nextscale_train.training.transformer import TransformerTask

HELP = "train stage 2: the transformer, on the tokens of stage 1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", metavar="CONFIG", help="the run's TOML file")


def run(options: argparse.Namespace) -> int:
    config = read_config(options.config)
    tokenizer = read_tokenizer(config)
    RunFolder(config.run.folder).make()
    with join_processes(config.run) as processes:
        pictures = open_pictures(config, processes)
        tokens = read_tokens(config, tokenizer, pictures.train, "train", processes)
        held_out = None
        if pictures.held_out is not None:
            held_out = read_tokens(config, tokenizer, pictures.held_out, "held_out", processes)
        task = TransformerTask(config, tokenizer, tokens, held_out, pictures.train.classes, processes)
        finished = train(task, config, processes)
        return tell_end(config, "transformer", finished, processes)
