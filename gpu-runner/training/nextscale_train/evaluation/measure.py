"""The numbers: reconstruction, use of the codebook, and samples before a judge."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from nextscale_train.data import Pictures
from nextscale_train.evaluation.classifier import Judge, Judgement
from nextscale_train.evaluation.distances import fit_gaussian, frechet_distance, nearest, precision_recall
from nextscale_train.evaluation.images import psnr, ssim
from nextscale_train.sampling import Knobs, generate
from nextscale_train.tokenizer import Tokenizer
from nextscale_train.trained import Trained
from nextscale_train.training.codebook import perplexity
from nextscale_train.training.loading import to_model

BATCH = 50
RECOGNISED = 0.9
"""Share of a class's samples from which on it counts as recognised."""


@dataclass(frozen=True)
class Reconstruction:
    psnr: float
    """dB."""
    ssim: float
    codes_used: float
    """Share of the vocabulary."""
    perplexity: float
    perplexity_of_scales: list[float]


@dataclass(frozen=True)
class ClassScore:
    name: str
    accuracy: float
    taken_for: str | None
    """What those that are not recognised look like most often."""


@dataclass(frozen=True)
class SampleScores:
    """Samples of all classes, the same number of each, by one setting."""

    cfg: float
    top_k: int
    top_p: float
    accuracy: float
    classes_recognised: int
    classes: list[ClassScore]
    """Worst first."""
    frechet_distance: float
    precision: float
    recall: float
    copying: float
    """Median distance from samples to their nearest training pictures, over that of held-out pictures: far below 1 is copying."""


@dataclass(frozen=True)
class Real:
    """Real pictures as the judge sees them."""

    train: Judgement
    held_out: Judgement
    held_out_labels: Tensor

    @property
    def accuracy(self) -> float:
        return float((self.held_out.classes == self.held_out_labels).float().mean())


def pick(pictures: Pictures, count: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The first views of the first pictures in batches: B 3 H W in [-1, 1], and labels, B."""
    count = min(count, len(pictures))
    for start in range(0, count, BATCH):
        views = [pictures.view(index, 0) for index in range(start, min(start + BATCH, count))]
        images = torch.stack([image for image, _ in views])
        yield to_model(images, torch.device("cpu")), torch.tensor([label for _, label in views])


@torch.no_grad()
def measure_reconstruction(tokenizer: Tokenizer, pictures: Pictures, count: int, device: torch.device) -> Reconstruction:
    """Encodes and decodes pictures."""
    scales, vocabulary = tokenizer.sizes.scales, tokenizer.sizes.vocabulary
    hits, ratios, similarities = torch.zeros(len(scales), vocabulary), [], []
    for images, _ in pick(pictures, count):
        original = images.to(device)
        tokens = tokenizer.encode(original)
        made = tokenizer.decode_tokens(tokens)
        ratios.append(psnr(made.add(1).div(2), original.add(1).div(2)).cpu())
        similarities.append(ssim(made.add(1).div(2), original.add(1).div(2)).cpu())
        for scale, of_scale in enumerate(tokens):
            hits[scale] += of_scale.flatten().bincount(minlength=vocabulary).cpu()
    together = hits.sum(0)
    return Reconstruction(
        psnr=float(torch.cat(ratios).mean()),
        ssim=float(torch.cat(similarities).mean()),
        codes_used=float((together > 0).float().mean()),
        perplexity=float(perplexity(together)),
        perplexity_of_scales=[float(perplexity(of_scale)) for of_scale in hits],
    )


def look_at_real(judge: Judge, train: Pictures, held_out: Pictures, count: int) -> Real:
    """Judges the first pictures of both parts."""
    labels = torch.cat([labels for _, labels in pick(held_out, count)])
    seen, unseen = (judge(images for images, _ in pick(pictures, count)) for pictures in (train, held_out))
    return Real(seen, unseen, labels)


def draw_samples(models: Trained, knobs: Knobs, labels: Tensor, device: torch.device, seed: int) -> Iterator[Tensor]:
    """Pictures of the classes asked for, in batches, B 3 H W in [0, 1]."""
    generator = torch.Generator(device).manual_seed(seed)
    name = f"cfg {knobs.cfg:g}, top_k {knobs.top_k}, top_p {knobs.top_p:g}"
    for of_batch in tqdm(torch.split(labels, BATCH), desc=name, unit="batch", disable=None, dynamic_ncols=True, leave=False):
        yield generate(models.tokenizer, models.transformer, of_batch.to(device), knobs, generator=generator)


def measure_samples(models: Trained, knobs: Knobs, judge: Judge, real: Real, *, per_class: int, seed: int) -> SampleScores:
    """Draws so many pictures of each class and has them judged."""
    count = len(models.classes)
    labels = torch.arange(count).repeat(per_class)
    judged = judge(images.mul(2).sub(1) for images in draw_samples(models, knobs, labels, judge.device, seed))
    classes = score_classes(models.classes, labels, judged.classes)
    precision, recall = precision_recall(judged.features, real.held_out.features)
    return SampleScores(
        cfg=knobs.cfg,
        top_k=knobs.top_k,
        top_p=knobs.top_p,
        accuracy=float((judged.classes == labels).float().mean()),
        classes_recognised=sum(score.accuracy >= RECOGNISED for score in classes),
        classes=classes,
        frechet_distance=frechet_distance(fit_gaussian(judged.features), fit_gaussian(real.held_out.features)),
        precision=precision,
        recall=recall,
        copying=copying(judged, real),
    )


def score_classes(names: Sequence[str], asked: Tensor, seen: Tensor) -> list[ClassScore]:
    """How often each class was recognised, worst first."""
    scores = []
    for label, name in enumerate(names):
        found = seen[asked == label]
        wrong = found[found != label]
        taken_for = names[int(wrong.mode().values)] if len(wrong) > 0 else None
        scores.append(ClassScore(name, 1 - len(wrong) / max(1, len(found)), taken_for))
    return sorted(scores, key=lambda score: score.accuracy)


def copying(judged: Judgement, real: Real) -> float:
    """How much nearer samples are to training pictures than other real pictures are."""
    ours, theirs = (nearest(each.features, real.train.features)[0].median() for each in (judged, real.held_out))
    return float(ours / theirs.clamp_min(1e-12))


def best_of(scores: Sequence[SampleScores]) -> SampleScores:
    """The setting of the least Fréchet distance among those whose accuracy is within a point of the highest."""
    highest = max(score.accuracy for score in scores)
    return min((score for score in scores if score.accuracy >= highest - 0.01), key=lambda score: score.frechet_distance)
