"""`nextscale-train`: trains, exports and measures VAR models."""

import argparse
import sys
from importlib import import_module

from nextscale_train.checkpoint import CheckpointError
from nextscale_train.config import ConfigError
from nextscale_train.errors import CommandError

COMMANDS = ("tokenizer", "transformer", "evaluate", "export", "compare", "scaling")


def main(arguments: list[str] | None = None) -> int:
    """Runs one subcommand and returns its exit code."""
    parser = argparse.ArgumentParser(prog="nextscale-train", description=__doc__)
    subcommands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = import_module(f"nextscale_train.commands.{name}")
        subparser = subcommands.add_parser(name, help=module.HELP, description=module.HELP)
        module.add_arguments(subparser)
        subparser.set_defaults(run=module.run)
    parsed = parser.parse_args(arguments)
    try:
        parsed.run(parsed)
    except (CommandError, ConfigError, CheckpointError) as error:
        print(f"nextscale-train: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
