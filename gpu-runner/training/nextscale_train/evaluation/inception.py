"""FID and Inception Score, for models whose published numbers are such. The network is given as a file: it cannot be shipped."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor
from torch.export.passes import move_to_device_pass
from tqdm import tqdm

from nextscale_train.data import Pictures
from nextscale_train.data.readers import reading
from nextscale_train.errors import CommandError
from nextscale_train.evaluation.distances import Gaussian, Moments, frechet_distance

BATCH = 50
SPLITS = 10

Inception = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Pictures, B 3 H W uint8 -> features, B D, and logits, B K."""


@dataclass(frozen=True)
class InceptionScores:
    fid: float
    inception_score: float
    inception_score_deviation: float
    """Over the splits."""


def load_inception(path: Path, device: torch.device) -> Inception:
    """A program of `torch.export.save` that takes pictures, B 3 H W uint8 with any B, resizes and scales them itself, and returns
    features, B D, and logits, B K.

    Raises:
        CommandError: it is no such file.
    """
    try:
        network = move_to_device_pass(torch.export.load(path), device).module()
    except (RuntimeError, ValueError, OSError, BadZipFile) as error:
        raise CommandError(f"--inception {path} is no program of torch.export.save that can be loaded: {error}") from error

    @torch.no_grad()
    def ask(images: Tensor) -> tuple[Tensor, Tensor]:
        answer = network(images.to(device))
        if not (isinstance(answer, tuple) and len(answer) == 2 and all(each.dim() == 2 for each in answer)):
            raise CommandError(f"--inception {path} must return a pair: features, B D, and logits, B K.")
        return answer

    return ask


def read_statistics(path: Path) -> Gaussian:
    """The Gaussian of real pictures from an .npz with `mu` and `sigma`.

    Raises:
        CommandError: it is no such file.
    """
    try:
        with np.load(path) as file:
            return Gaussian(*(torch.from_numpy(np.asarray(file[name], dtype=np.float64)) for name in ("mu", "sigma")))
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise CommandError(f"--reference {path} is no folder of pictures and no .npz with mu and sigma ({error}).") from error


def fit_pictures(pictures: Pictures, inception: Inception, workers: int) -> Gaussian:
    """The Gaussian of pictures."""
    moments = Moments()
    batches = [range(start, min(start + BATCH, len(pictures))) for start in range(0, len(pictures), BATCH)]
    with reading(pictures, batches, workers) as read:
        for images, _ in tqdm(read, desc="reference", total=len(batches), unit="batch", disable=None, dynamic_ncols=True):
            moments.add(inception(images)[0])
    return moments.fit()


def measure_inception(samples: Iterable[Tensor], inception: Inception, reference: Gaussian) -> InceptionScores:
    """Scores samples, B 3 H W in [0, 1] each."""
    moments, logits = Moments(), []
    for images in samples:
        features, of_batch = inception(images.mul(255).round().to(torch.uint8))
        moments.add(features)
        logits.append(of_batch.double().cpu())
    fitted = moments.fit()
    if fitted.mean.shape != reference.mean.shape:
        raise CommandError(f"--reference has {len(reference.mean)} features, but --inception gives {len(fitted.mean)}.")
    mean, deviation = inception_score(torch.cat(logits))
    return InceptionScores(frechet_distance(fitted, reference), mean, deviation)


def inception_score(logits: Tensor, splits: int = SPLITS) -> tuple[float, float]:
    """Exp of the mean divergence of each picture's classes from those of all, mean and deviation over splits: Salimans et al.,
    "Improved Techniques for Training GANs", 2016. Logits are N K.
    """
    scores = []
    for part in logits.softmax(dim=1).tensor_split(min(splits, len(logits))):
        marginal = part.mean(dim=0, keepdim=True)
        divergence = (torch.special.xlogy(part, part) - torch.special.xlogy(part, marginal)).sum(dim=1)
        scores.append(divergence.mean().exp())
    stacked = torch.stack(scores)
    return float(stacked.mean()), float(stacked.std(correction=0))
