"""Codes that are near the data: where they begin, and what becomes of those that nothing is near to."""

import torch
from torch import Generator, Tensor

from nextscale_train.quantizer import ResidualQuantizer
from nextscale_train.training.processes import Processes

HIT_DECAY = 0.99
DEAD = 0.05
"""A code is dead when it is used less than this share of the mean."""


@torch.no_grad()
def begin_from_data(quantizer: ResidualQuantizer, features: Tensor, generator: Generator) -> None:
    """Sets all codes to features at the scales' own resolutions, shortened at random: residuals are smaller than features."""
    scales = len(quantizer.scales)
    rows = torch.cat(
        [_rows(torch.nn.functional.adaptive_avg_pool2d(features, side), 4096 // scales) for side in quantizer.scales]
    )
    codebook = quantizer.embedding.weight
    chosen = rows[torch.randint(len(rows), (len(codebook),), generator=generator).to(rows.device)]
    shortened = torch.rand(len(codebook), 1, generator=generator).mul_(0.9).add_(0.1).to(rows.device)
    codebook.copy_(chosen * shortened)


@torch.no_grad()
def count_hits(quantizer: ResidualQuantizer, tokens: list[Tensor], processes: Processes) -> Tensor:
    """How often each code is used in the tokens of a step, in all processes, by scale: S V."""
    vocabulary = quantizer.embedding.num_embeddings
    return processes.sum_(torch.stack([each.flatten().bincount(minlength=vocabulary) for each in tokens]).float())


@torch.no_grad()
def note_hits(quantizer: ResidualQuantizer, hits: Tensor) -> None:
    """Takes the hits of a step, S V, into their running mean."""
    quantizer.ema_vocab_hit_SV.mul_(HIT_DECAY).add_(hits, alpha=1 - HIT_DECAY)


def dead_codes(quantizer: ResidualQuantizer) -> Tensor:
    """Indices of the codes that are hardly used."""
    hits = quantizer.ema_vocab_hit_SV.sum(0)
    return (hits < DEAD * hits.mean()).nonzero()[:, 0]


@torch.no_grad()
def revive(quantizer: ResidualQuantizer, features: Tensor, generator: Generator, processes: Processes) -> int:
    """Sets dead codes to what is left of the features at a random scale and place; returns how many there were."""
    dead = dead_codes(quantizer)
    if len(dead) == 0:
        return 0
    rows = torch.cat([_rows(step.z, None) for step in quantizer.descend(features)])
    chosen = rows[torch.randint(len(rows), (len(dead),), generator=generator).to(rows.device)]
    quantizer.embedding.weight[dead] = processes.from_first_(chosen)
    hits = quantizer.ema_vocab_hit_SV
    hits[:, dead] = hits.mean(dim=1, keepdim=True)
    return len(dead)


def perplexity(hits: Tensor) -> Tensor:
    """How many codes are in use, counted by their shares: exp of the entropy of the hits, V."""
    shares = hits / hits.sum().clamp_min(1e-12)
    entropy: Tensor = torch.special.entr(shares).sum()
    return entropy.exp()


def _rows(maps: Tensor, at_most: int | None) -> Tensor:
    """B Z n n -> rows of Z, the first so many."""
    return maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1])[:at_most]
