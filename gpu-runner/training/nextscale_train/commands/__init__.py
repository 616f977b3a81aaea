"""The subcommands of `nextscale-train`: each module has `HELP`, `add_arguments(parser)` and `run(arguments)`.

The last returns an exit code where that is not 0.
"""
