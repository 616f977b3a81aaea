"""`nextscale-train scaling`: the loss of transformers of several sizes, and the power laws it follows."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # type: ignore[import-untyped]

from nextscale_train.checkpoint import read_checkpoint
from nextscale_train.commands.reporting import tell_end
from nextscale_train.config import Config, read_config
from nextscale_train.data.splits import Splits, open_pictures
from nextscale_train.errors import CommandError
from nextscale_train.files import replacing
from nextscale_train.run_folder import RunFolder
from nextscale_train.scaling.fit import Point, PowerLaw, count_parameters, fit_power_law, frontier, training_flops
from nextscale_train.scaling.plot import Panel, draw
from nextscale_train.telling import say
from nextscale_train.trained import read_tokenizer
from nextscale_train.training.loop import Finished, train
from nextscale_train.training.processes import Processes, join_processes
from nextscale_train.training.tokens import read_tokens
from nextscale_train.training.transformer import TransformerTask
from nextscale_train.transformer import Transformer

HELP = "train transformers of several depths and fit power laws to their losses"


@dataclass(frozen=True)
class Trial:
    """One size, trained to its end."""

    depth: int
    parameters: int
    loss: float
    """Held-out, per token, of all scales."""
    loss_of_last_scale: float
    accuracy: float
    curve: list[Point]
    """Training operations and held-out loss, along the way."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", metavar="CONFIG", help="the run's TOML file; its tokenizer is trained already")
    parser.add_argument("--depths", type=int, nargs="+", default=[2, 3, 4, 6, 8], help="each of width 64 x depth")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="for the runs, scaling.json and scaling.svg")
    parser.add_argument("--pictures", type=int, default=3_000, help="held-out pictures to measure with")


def run(options: argparse.Namespace) -> int:
    depths = sorted(set(options.depths))
    if len(depths) < 2 or depths[0] < 1:
        raise CommandError("--depths needs two different depths or more, each at least 1.")
    config = read_config(options.config)
    if not config.data.has_held_out:
        raise CommandError("data.held_out is 0: the loss is measured on pictures that training did not see.")
    RunFolder(options.out).make("--out")
    trials: list[Trial] = []
    with join_processes(config.run) as processes:
        pictures = open_pictures(config, processes)
        for depth in depths:
            trial = try_depth(of_depth(config, depth, options.out), config, pictures, options.pictures, processes)
            if isinstance(trial, Finished):
                return tell_end(of_depth(config, depth, options.out), "transformer", trial, processes)
            trials.append(trial)
            if processes.is_first:
                say(f"depth {depth}: {trial.parameters / 1e6:.2f}M parameters, loss {trial.loss:.4f}, {trial.accuracy:.2%} right")
        if processes.is_first:
            conclude(trials, options.out)
    return 0


def of_depth(config: Config, depth: int, out: Path) -> Config:
    """The same run for another transformer, which begins from nothing."""
    transformer = config.transformer.model_copy(update={"depth": depth, "width": None, "heads": None})
    training = config.transformer_training.model_copy(update={"init": None})
    place = config.run.model_copy(update={"folder": out / f"depth-{depth}"})
    return config.model_copy(update={"transformer": transformer, "transformer_training": training, "run": place})


def try_depth(config: Config, base: Config, pictures: Splits, measured: int, processes: Processes) -> Trial | Finished:
    """Trains one size on the tokens of the base run; how far it is when it was told to stop."""
    tokenizer = read_tokenizer(base)
    assert pictures.held_out is not None
    tokens = read_tokens(base, tokenizer, pictures.train, "train", processes)
    held_out = read_tokens(base, tokenizer, pictures.held_out, "held_out", processes)
    task = TransformerTask(config, tokenizer, tokens, held_out, pictures.train.classes, processes)
    finished = train(task, config, processes)
    if finished.signal:
        return finished
    folder = RunFolder(config.run.folder)
    state = read_checkpoint(folder.weights("transformer"), "transformer")
    trained = Transformer.from_state_dict(state, config.tokenizer.scales).to(processes.device)
    with torch.no_grad():
        losses = task.held_out_loss(trained, measured)
    parameters = count_parameters(trained)
    a_step = training_flops(parameters, trained.sizes.tokens * config.transformer_training.batch)
    curve = [(event.step * a_step, float(event.value)) for event in read_curve(folder.logs("transformer"))]
    depth = config.transformer.depth
    return Trial(depth, parameters, losses["loss"], losses["loss of last scale"], losses["accuracy"], curve)


def read_curve(logs: Path) -> list[Any]:
    """What the run told TensorBoard of its held-out loss."""
    events = EventAccumulator(str(logs))
    events.Reload()
    found: list[Any] = events.Scalars("held-out loss")
    return found


def conclude(trials: Sequence[Trial], out: Path) -> None:
    """Fits, tells, and writes numbers and plot."""
    by_size = [(float(trial.parameters), trial.loss) for trial in trials]
    every = [point for trial in trials for point in trial.curve]
    by_compute = frontier(every)
    size_law = fit_power_law(by_size)
    panels = [Panel("Loss by size", "parameters, without embeddings", "loss", by_size, size_law)]
    laws: dict[str, PowerLaw] = {"size": size_law}
    if len(by_compute) > 1:
        laws["compute"] = fit_power_law(by_compute)
        panels.append(Panel("Loss by compute", "training operations", "loss", by_compute, laws["compute"], every))
    for name, law in laws.items():
        print(f"loss = {law.factor:.4g} x {name}^{law.exponent:.4f}, correlation {law.correlation:.4f}")
    numbers = {"trials": [asdict(each) for each in trials], "laws": {name: asdict(law) for name, law in laws.items()}}
    for file, text in (("scaling.json", json.dumps(numbers, indent=2)), ("scaling.svg", draw(panels))):
        with replacing(out / file) as partial:
            partial.write_text(text, encoding="utf-8")
    print(f"{out / 'scaling.json'} and {out / 'scaling.svg'} are written.")
