"""`nextscale-train compare`: how much faster next-scale generation is than other ways with the same transformer."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import torch
from tqdm import tqdm

from nextscale_train.comparison.measure import Setting, compare, tell
from nextscale_train.errors import CommandError
from nextscale_train.files import replacing

HELP = "time next-scale generation against token by token and a DiT of equal size"
METHODS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--depth", type=int, default=16, help="of all three; width = 64 x depth")
    add("--batch", type=int, default=1)
    add("--rounds", type=int, default=3, help="after one that warms up")
    add("--device", choices=["cpu", "cuda"], default="cuda" if torch.cuda.is_available() else "cpu")
    add("--precision", choices=["fp32", "bf16"], default="bf16")
    add("--threads", type=int, help="CPU threads")
    add("--dit-steps", type=int, default=250)
    add("--dit-steps-measured", type=int, help="steps to time; the rest is reckoned, and the table says so")
    add("--json", type=Path, metavar="FILE", help="where to write the numbers")


def run(options: argparse.Namespace) -> None:
    measured = options.dit_steps if options.dit_steps_measured is None else options.dit_steps_measured
    for name in ("depth", "batch", "rounds", "dit_steps"):
        if getattr(options, name) < 1:
            raise CommandError(f"--{name.replace('_', '-')} must be 1 or more.")
    if not 1 <= measured <= options.dit_steps:
        raise CommandError(f"--dit-steps-measured must be from 1 to {options.dit_steps}, the number of steps.")
    if options.device == "cuda" and not torch.cuda.is_available():
        raise CommandError("--device cuda: PyTorch finds no GPU.")
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    device = torch.device(options.device)
    setting = Setting(options.depth, options.batch, device, options.precision == "bf16", options.dit_steps, measured)
    with tqdm(total=METHODS * (options.rounds + 1), desc="compare", unit="run", disable=None, dynamic_ncols=True) as bar:
        timings = compare(setting, options.rounds, bar.update)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    print(f"{name}, depth {options.depth}, batch {options.batch}, {options.precision}, 256 px, PyTorch {torch.__version__}\n")
    print(tell(timings))
    if options.json is not None:
        with replacing(options.json) as partial:
            partial.write_text(json.dumps([asdict(timing) for timing in timings], indent=2) + "\n")
