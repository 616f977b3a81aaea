"""The subcommands of `nextscale-train`: each module has `HELP`, `add_arguments(parser)` and `run(arguments)`."""
