"""Power laws, as in "Visual Autoregressive Modeling" (Tian et al., 2024), section 5.1."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

Point = tuple[float, float]
"""Size or compute, and loss."""


@dataclass(frozen=True)
class PowerLaw:
    """loss = factor x^exponent."""

    factor: float
    exponent: float
    correlation: float
    """Pearson's, of the logarithms: -1 is a power law that falls without deviation."""

    def at(self, x: float) -> float:
        return float(self.factor * x**self.exponent)


def fit_power_law(points: Sequence[Point]) -> PowerLaw:
    """Least squares of the logarithms; two points at least, of different x."""
    x, y = np.log(np.asarray(points, dtype=np.float64)).T
    exponent, offset = np.polyfit(x, y, 1)
    correlation = float(np.corrcoef(x, y)[0, 1])
    return PowerLaw(float(np.exp(offset)), float(exponent), correlation)


def frontier(points: Sequence[Point]) -> list[Point]:
    """The points that no other beats with as much compute or less, by compute."""
    best: list[Point] = []
    for compute, loss in sorted(points):
        if not best or loss < best[-1][1]:
            best.append((compute, loss))
    return best


def count_parameters(transformer: nn.Module) -> int:
    """Parameters that take part in matrix products: all but the embeddings of classes, positions and scales."""
    names = ("class_emb.", "lvl_embed.", "pos_start", "pos_1LC")
    return sum(each.numel() for name, each in transformer.named_parameters() if not name.startswith(names))


def training_flops(parameters: int, tokens: int) -> float:
    """About six operations a parameter and token: Kaplan et al., "Scaling Laws for Neural Language Models", 2020."""
    return 6.0 * parameters * tokens
