"""`nextscale-train`: trains, exports and measures VAR models."""

import argparse
import io
import os
import sys
from importlib import import_module

import torch

from nextscale_train.checkpoint import CheckpointError
from nextscale_train.config import ConfigError
from nextscale_train.errors import CommandError
from nextscale_train.signals import handled, leave

COMMANDS = ("tokenizer", "transformer", "evaluate", "export", "compare", "scaling")


def main(arguments: list[str] | None = None) -> int:
    """Runs one subcommand and returns its exit code.

    Raises:
        SystemExit: a signal ended it.
    """
    # Names of classes may be of any script, what the terminal shows may not.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    with handled(leave):
        parsed = parse(arguments)
        try:
            code: int | None = parsed.run(parsed)
        except (CommandError, ConfigError, CheckpointError) as error:
            return refuse(str(error))
        except OSError as error:
            return refuse(f"{error.strerror or error}{'' if error.filename is None else f': {error.filename}'}.")
        except torch.cuda.OutOfMemoryError as error:
            return refuse(f"the memory of the GPU is full, which a lower batch prevents ({str(error).splitlines()[0]}).")
    return code or 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The arguments, with the subcommand's `run` among them."""
    parser = argparse.ArgumentParser(prog="nextscale-train", description=__doc__)
    subcommands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = import_module(f"nextscale_train.commands.{name}")
        subparser = subcommands.add_parser(name, help=module.HELP, description=module.HELP)
        module.add_arguments(subparser)
        subparser.set_defaults(run=module.run)
    return parser.parse_args(arguments)


def refuse(reason: str) -> int:
    print(f"nextscale-train: {reason}", file=sys.stderr)
    return 1


def run() -> None:
    """The process: its exit code is that of `main`."""
    try:
        sys.exit(main())
    finally:
        drop_what_nobody_reads()


def drop_what_nobody_reads() -> None:
    """Sees to it that output whose reader has left does not change the exit code: Python's own last flush would, to 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
