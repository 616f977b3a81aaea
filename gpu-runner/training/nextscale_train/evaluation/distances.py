"""How near two sets of pictures are, by the features of a network. Features are N D."""

from dataclasses import dataclass

import torch
from torch import Tensor

CHUNK = 1024


@dataclass(frozen=True)
class Gaussian:
    """Mean, D, and covariance, D D, fp64."""

    mean: Tensor
    covariance: Tensor


class Moments:
    """A Gaussian fitted to features that come in batches; none of them is kept."""

    def __init__(self) -> None:
        self._count = 0
        self._sum = torch.zeros(0)
        self._products = torch.zeros(0)

    def add(self, features: Tensor) -> None:
        """Takes up a batch, B D."""
        rows = features.detach().to("cpu", torch.float64)
        if self._count == 0:
            self._sum = rows.new_zeros(rows.shape[1])
            self._products = rows.new_zeros(rows.shape[1], rows.shape[1])
        self._count += len(rows)
        self._sum += rows.sum(0)
        self._products += rows.T @ rows

    def fit(self) -> Gaussian:
        """Mean and unbiased covariance; needs two rows at least."""
        mean = self._sum / self._count
        covariance = (self._products - self._count * torch.outer(mean, mean)) / (self._count - 1)
        return Gaussian(mean, covariance)


def fit_gaussian(features: Tensor) -> Gaussian:
    moments = Moments()
    moments.add(features)
    return moments.fit()


def frechet_distance(a: Gaussian, b: Gaussian) -> float:
    """|mean_a - mean_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)): Heusel et al., "GANs Trained by a Two Time-Scale Update Rule
    Converge to a Local Nash Equilibrium", 2017.
    """
    root = _square_root(a.covariance)
    # S_a S_b has the eigenvalues of the symmetric S_a^(1/2) S_b S_a^(1/2).
    cross = torch.linalg.eigvalsh(root @ b.covariance @ root).clamp_min(0).sqrt().sum()
    apart = (a.mean - b.mean).pow(2).sum()
    return max(0.0, float(apart + a.covariance.trace() + b.covariance.trace() - 2 * cross))


def _square_root(symmetric: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(symmetric)
    root: Tensor = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    return root


def precision_recall(made: Tensor, real: Tensor, k: int = 3) -> tuple[float, float]:
    """Share of what is made that lies among what is real, and the other way round: Kynkäänniemi et al., "Improved Precision and
    Recall Metric for Assessing Generative Models", 2019. A set's region is the balls around its members that reach to their
    k-th neighbours.
    """
    return _share_inside(made, real, k), _share_inside(real, made, k)


def _share_inside(points: Tensor, members: Tensor, k: int) -> float:
    k = min(k, len(members) - 1)
    # The nearest member to a member is itself.
    radii = torch.cat([torch.cdist(rows, members).kthvalue(k + 1, dim=1).values for rows in torch.split(members, CHUNK)])
    inside = [(torch.cdist(rows, members) <= radii).any(dim=1) for rows in torch.split(points, CHUNK)]
    return float(torch.cat(inside).float().mean())


def nearest(points: Tensor, members: Tensor) -> tuple[Tensor, Tensor]:
    """Distance to, and index of, the nearest member of each point."""
    found = [torch.cdist(rows, members).min(dim=1) for rows in torch.split(points, CHUNK)]
    return torch.cat([each.values for each in found]), torch.cat([each.indices for each in found])
