"""Next-scale generation, done the way the published reference does it.

This is the baseline other engines are measured against, so it does the reference's work, no less and no more: two rows an
image at every scale (guidance), AdaLN parameters anew at every scale, keys and values concatenated, top-p by sorting.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from nextscale_train.blocks import LayerCache
from nextscale_train.tokenizer import Tokenizer
from nextscale_train.transformer import Transformer


@dataclass(frozen=True)
class Knobs:
    """What a caller can turn.

    Raises:
        ValueError: a value is out of range.
    """

    cfg: float = 1.5
    """Guidance strength at the last scale, rising linearly from 0 at the first."""
    top_k: int = 0
    """Tokens left to choose from, ties kept; 0 = all."""
    top_p: float = 1.0
    """Smallest set of tokens with this probability, after top_k; 1 = all. (The reference says 0 for all.)"""
    greedy: bool = False
    """Take the likeliest token: nothing is drawn, and top_k and top_p have no effect."""
    smooth: bool = False
    """Blend codes by a Gumbel softmax instead of looking the drawn one up (the reference's `more_smooth`)."""

    def __post_init__(self) -> None:
        if self.cfg < 0 or self.top_k < 0 or not 0 < self.top_p <= 1:
            raise ValueError("cfg and top_k are at least 0, and top_p is above 0 and at most 1.")
        if self.greedy and self.smooth:
            raise ValueError("Greedy sampling draws nothing, smooth sampling does: choose one.")


@dataclass(frozen=True)
class ScaleReport:
    """A scale that is done. The tensors are the sampler's own: copy what is to be kept."""

    scale: int
    tokens: Tensor
    """B n_k^2 int64."""
    logits: Tensor
    """B n_k^2 V, after guidance; what top_k and top_p removed is -inf."""
    f_hat: Tensor
    """Running sum, B Z H W; later scales add to this very tensor."""
    milliseconds: float
    """Wall time on the host."""


@dataclass(frozen=True)
class Sample:
    tokens: list[Tensor]
    """Token maps, B n_k^2 int64 each. Under `smooth` they were drawn but are not what f_hat is made of."""
    f_hat: Tensor
    """B Z H W."""


def truncate_(logits: Tensor, top_k: int, top_p: float) -> None:
    """Sets the logits, B l V, of all tokens but those that top-k and then top-p leave to -inf, in place."""
    if top_k > 0:
        smallest = logits.topk(min(top_k, logits.shape[-1]), dim=-1, sorted=False).values.amin(dim=-1, keepdim=True)
        logits.masked_fill_(logits < smallest, -torch.inf)
    if top_p < 1:
        ascending, order = logits.sort(dim=-1)
        removed = ascending.softmax(dim=-1).cumsum_(dim=-1) <= 1 - top_p
        removed[..., -1:] = False
        logits.masked_fill_(removed.scatter(-1, order, removed), -torch.inf)


def draw(logits: Tensor, knobs: Knobs, generator: Generator | None) -> Tensor:
    """Logits, B l V, truncated in place -> tokens, B l int64."""
    if knobs.greedy:
        return logits.argmax(dim=-1)
    truncate_(logits, knobs.top_k, knobs.top_p)
    B, length, V = logits.shape
    return torch.multinomial(logits.softmax(dim=-1).view(-1, V), 1, replacement=True, generator=generator).view(B, length)


def blend(logits: Tensor, codebook: Tensor, progress: float, generator: Generator | None) -> Tensor:
    """Truncated logits, B l V -> codes, B l Z: Gumbel softmax, colder at finer scales (schedule of the reference)."""
    temperature = max(0.27 * (1 - progress * 0.95), 0.005)
    noise = -torch.empty_like(logits).exponential_(generator=generator).log()
    return ((logits.mul(1 + progress) + noise) / temperature).softmax(dim=-1) @ codebook


@torch.no_grad()
def sample(
    tokenizer: Tokenizer,
    transformer: Transformer,
    labels: Tensor,
    knobs: Knobs,
    *,
    generator: Generator | None = None,
    on_scale: Callable[[ScaleReport], None] | None = None,
) -> Sample:
    """Samples a batch of B images up to f_hat.

    Args:
        tokenizer: its codebook and phi bank are used.
        transformer: gives the logits.
        labels: class indices, B int64; `transformer.sizes.classes` is the unconditional class.
        knobs: guidance and truncation.
        generator: where chance comes from; one for the whole batch, so an image depends on its batch mates.
        on_scale: called after each scale.

    Raises:
        ValueError: a label is no class, or tokenizer and transformer differ in scales, channels or vocabulary.
    """
    _check(tokenizer, transformer, labels)
    sizes, quantize = transformer.sizes, tokenizer.quantize
    B, last = len(labels), len(sizes.scales) - 1
    condition = transformer.class_emb(torch.cat((labels, torch.full_like(labels, sizes.classes))))  # 2B C
    positions = transformer.positions()
    first, full = sizes.scales[0] ** 2, sizes.scales[-1]
    x = condition.unsqueeze(1) + transformer.pos_start + positions[:, :first]  # 2B n_k^2 C
    f_hat = condition.new_zeros(B, sizes.code_channels, full, full)
    caches = [LayerCache() for _ in range(sizes.depth)]
    drawn, end = [], 0
    for scale, side in enumerate(sizes.scales):
        started = time.perf_counter()
        end += side * side
        progress = scale / max(last, 1)
        both = transformer.run_blocks(x, condition, caches=caches)
        strength = knobs.cfg * progress
        logits = (1 + strength) * both[:B] - strength * both[B:]
        tokens = draw(logits, knobs, generator)
        if knobs.smooth:
            codes = blend(logits, quantize.embedding.weight, progress, generator)
        else:
            codes = quantize.lookup(tokens)
        f_hat.add_(quantize.contribution(codes, scale))
        if scale < last:
            following = positions[:, end : end + sizes.scales[scale + 1] ** 2]
            x = (transformer.word_embed(quantize.next_input(f_hat, scale)) + following).repeat(2, 1, 1)
        drawn.append(tokens)
        if on_scale is not None:
            on_scale(ScaleReport(scale, tokens, logits, f_hat, (time.perf_counter() - started) * 1000))
    return Sample(drawn, f_hat)


@torch.no_grad()
def generate(
    tokenizer: Tokenizer,
    transformer: Transformer,
    labels: Tensor,
    knobs: Knobs,
    *,
    generator: Generator | None = None,
    on_scale: Callable[[ScaleReport], None] | None = None,
) -> Tensor:
    """Images, B 3 H' W' in [0, 1]. Arguments and errors are those of `sample`."""
    sampled = sample(tokenizer, transformer, labels, knobs, generator=generator, on_scale=on_scale)
    return to_images(tokenizer, sampled.f_hat)


@torch.no_grad()
def to_images(tokenizer: Tokenizer, f_hat: Tensor) -> Tensor:
    """f_hat, B Z H W -> images, B 3 H' W' in [0, 1]."""
    return tokenizer.decode(f_hat).clamp_(-1, 1).add_(1).mul_(0.5)


def _check(tokenizer: Tokenizer, transformer: Transformer, labels: Tensor) -> None:
    ours, theirs = transformer.sizes, tokenizer.sizes
    sizes = (ours.scales, ours.code_channels, ours.vocabulary)
    if sizes != (theirs.scales, theirs.code_channels, theirs.vocabulary):
        raise ValueError("Tokenizer and transformer do not belong together: scales, code channels or vocabulary differ.")
    if labels.dim() != 1 or not bool(((labels >= 0) & (labels <= ours.classes)).all()):
        raise ValueError(f"Labels are a list of class indices from 0 to {ours.classes}, which is the unconditional class.")
