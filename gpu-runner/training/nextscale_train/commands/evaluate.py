"""`nextscale-train evaluate`: how good a model is, and which settings its samples are best with."""

import argparse
import itertools
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from nextscale_train.config import Config, read_config
from nextscale_train.data.splits import open_pictures, open_reference
from nextscale_train.errors import CommandError
from nextscale_train.evaluation.classifier import prepare_judge
from nextscale_train.evaluation.distances import Gaussian, fit_gaussian, frechet_distance
from nextscale_train.evaluation.inception import (
    Inception,
    InceptionScores,
    fit_pictures,
    load_inception,
    measure_inception,
    read_statistics,
)  # fmt: skip
from nextscale_train.evaluation.measure import (
    SampleScores,
    best_of,
    draw_samples,
    look_at_real,
    measure_reconstruction,
    measure_samples,
)  # fmt: skip
from nextscale_train.evaluation.report import tell_classes, tell_inception, tell_judge, tell_reconstruction, tell_settings
from nextscale_train.evaluation.subject import Subject, read_subject, with_knobs
from nextscale_train.files import replacing
from nextscale_train.run_folder import RunFolder
from nextscale_train.sampling import Knobs
from nextscale_train.training.processes import Processes, choose_device

HELP = "measure a model: reconstruction, recognised classes, distances, copying"
GRID: dict[str, list[float]] = {"cfg": [1.5, 2.0, 3.0, 4.0], "top_k": [0, 200], "top_p": [0.95]}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("config", metavar="CONFIG", help="the run's TOML file; it says what real pictures are")
    add("--model", type=Path, metavar="FOLDER", help="a model folder to measure in place of the run's own models")
    add("--pictures", type=int, default=1_500, help="real pictures to measure with, of each part")
    add("--samples-per-class", type=int, default=20)
    add("--classifier-steps", type=int, default=600, help="steps the judge is trained for")
    add("--seed", type=int, default=0)
    add("--cfg", type=float, nargs="+", help="several make a grid, as do several of the next two")
    add("--top-k", type=int, nargs="+")
    add("--top-p", type=float, nargs="+")
    add("--grid", action="store_true", help=f"try {GRID}")
    add("--json", type=Path, metavar="FILE", help="where to write all numbers")
    add("--inception", type=Path, metavar="FILE", help="network for FID and Inception Score, a program of torch.export.save")
    add("--reference", type=Path, metavar="FOLDER|NPZ", help="real pictures, or mu and sigma, for FID")
    add("--inception-samples", type=int, default=10_000)


def run(options: argparse.Namespace) -> None:
    check(options)
    config = read_config(options.config)
    processes = Processes(0, 1, choose_device(config.run, 0))
    subject = read_subject(config, options.model)
    for module in (subject.models.tokenizer, subject.models.transformer):
        module.to(processes.device)
    found = evaluate(config, subject, options, processes)
    if options.json is not None:
        with replacing(options.json) as partial:
            partial.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def check(options: argparse.Namespace) -> None:
    for name in ("pictures", "samples_per_class", "classifier_steps", "inception_samples"):
        if getattr(options, name) < 2:
            raise CommandError(f"--{name.replace('_', '-')} must be 2 or more.")
    if options.json is not None and not options.json.parent.is_dir():
        raise CommandError(f"--json {options.json}: there is no folder {options.json.parent}.")
    if (options.inception is None) != (options.reference is None):
        raise CommandError("--inception and --reference go together: give both, or neither.")


def evaluate(config: Config, subject: Subject, options: argparse.Namespace, processes: Processes) -> dict[str, Any]:
    """Measures, tells, and returns all numbers."""
    if not config.data.has_held_out:
        raise CommandError("data.held_out is 0: evaluation needs pictures that training did not see.")
    folder = RunFolder(config.run.folder)
    folder.make()
    splits = open_pictures(config, processes)
    train, held_out = splits.train, splits.held_out
    assert held_out is not None
    models = subject.models
    if models.classes != train.classes or models.tokenizer.sizes.resolution != train.resolution:
        raise CommandError("The model is not one of these pictures: its classes or its resolution are others than the data's.")
    network = None if options.inception is None else open_inception(config, options, processes)
    reconstruction = measure_reconstruction(models.tokenizer, held_out, options.pictures, processes.device)
    print(tell_reconstruction(reconstruction))
    judge = prepare_judge(config, train, options.classifier_steps, folder.judge, processes)
    real = look_at_real(judge, train, held_out, options.pictures)
    floor = frechet_distance(fit_gaussian(real.train.features), fit_gaussian(real.held_out.features))
    print(tell_judge(real, floor))
    choices = settings(subject, options)
    scores: list[SampleScores] = []
    for knobs in choices:
        scores.append(measure_samples(models, knobs, judge, real, per_class=options.samples_per_class, seed=options.seed))
    print(tell_settings(scores))
    best = best_of(scores)
    print(tell_classes(best))
    if len(choices) > 1:
        keep_best(best, folder, is_own=options.model is None)
    inception = None
    if network is not None:
        inception = evaluate_inception(subject, Knobs(best.cfg, best.top_k, best.top_p), options, network, processes.device)
        print(tell_inception(inception))
    return {
        "reconstruction": asdict(reconstruction),
        "judge": {"accuracy": real.accuracy, "frechet_distance_of_real": floor},
        "samples": [asdict(score) for score in scores],
        "inception": None if inception is None else asdict(inception),
    }


def settings(subject: Subject, options: argparse.Namespace) -> list[Knobs]:
    """Every combination of what was asked for; the subject's own where nothing was."""
    given = {"cfg": options.cfg, "top_k": options.top_k, "top_p": options.top_p}
    lists = [values or (GRID[name] if options.grid else [None]) for name, values in given.items()]
    return [with_knobs(subject, *combination) for combination in itertools.product(*lists)]


def keep_best(best: SampleScores, folder: RunFolder, *, is_own: bool) -> None:
    """Makes the best setting the default of what is exported from the run."""
    told = f"Best: cfg {best.cfg:g}, top_k {best.top_k}, top_p {best.top_p:g}"
    if not is_own:
        print(f"{told}.")
        return
    with replacing(folder.sampling) as partial:
        partial.write_text(json.dumps({"cfg": best.cfg, "top_k": best.top_k, "top_p": best.top_p}) + "\n")
    print(f"{told}; {folder.sampling} says so, and export makes it the defaults.")


def open_inception(config: Config, options: argparse.Namespace, processes: Processes) -> tuple[Inception, Gaussian]:
    """The network, and what it sees in the reference: before all else, so that a wrong file does not end hours of measuring."""
    inception, path = load_inception(options.inception, processes.device), options.reference
    if not path.is_dir():
        return inception, read_statistics(path)
    return inception, fit_pictures(open_reference(path, config, processes), inception, config.run.workers)


def evaluate_inception(
    subject: Subject, knobs: Knobs, options: argparse.Namespace, network: tuple[Inception, Gaussian], device: torch.device
) -> InceptionScores:
    """FID and Inception Score of samples of all classes in turn."""
    labels = torch.arange(options.inception_samples) % len(subject.models.classes)
    return measure_inception(draw_samples(subject.models, knobs, labels, device, options.seed), *network)
