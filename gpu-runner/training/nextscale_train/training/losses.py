"""How far a picture is from its original, for gradients. Pictures are B 3 H W in [-1, 1]."""

import torch
import torch.nn.functional as F
from torch import Tensor

# Weights of the five scales, from fine to coarse: Wang, Simoncelli, Bovik, "Multiscale structural similarity", 2003.
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
WINDOW = 7
SIGMA = 1.5
RANGE = 2.0
C1, C2 = (0.01 * RANGE) ** 2, (0.03 * RANGE) ** 2


def pixel_loss(made: Tensor, original: Tensor) -> Tensor:
    """L1 plus L2."""
    return F.l1_loss(made, original) + F.mse_loss(made, original)


def perceptual_loss(made: Tensor, original: Tensor) -> Tensor:
    """What the eye minds more than pixels, by no network that had to be downloaded: edges, and structure at several scales."""
    return edge_loss(made, original) + structure_loss(made, original)


def edge_loss(made: Tensor, original: Tensor) -> Tensor:
    """L1 between the differences of neighbouring pixels, both ways."""
    difference = made - original
    return difference.diff(dim=-1).abs().mean() + difference.diff(dim=-2).abs().mean()


def structure_loss(made: Tensor, original: Tensor) -> Tensor:
    """1 - MS-SSIM, with as many of its scales as the window fits into."""
    kernel = _gaussian(made)
    scales = 1
    while scales < len(SCALE_WEIGHTS) and min(made.shape[-2:]) >> scales >= WINDOW:
        scales += 1
    weights = torch.tensor(SCALE_WEIGHTS[:scales]) / sum(SCALE_WEIGHTS[:scales])
    similarity = torch.ones((), device=made.device)
    for scale, weight in enumerate(weights.tolist()):
        luminance, structure = _ssim_terms(made, original, kernel)
        factor = structure * luminance if scale == scales - 1 else structure
        # A negative correlation has no fractional power; it is as bad as none.
        similarity = similarity * factor.mean().clamp_min(1e-4) ** weight
        made, original = F.avg_pool2d(made, 2), F.avg_pool2d(original, 2)
    return 1 - similarity


def _ssim_terms(made: Tensor, original: Tensor, kernel: Tensor) -> tuple[Tensor, Tensor]:
    """Luminance and contrast-structure maps of SSIM."""

    def blur(images: Tensor) -> Tensor:
        return F.conv2d(images, kernel, padding=WINDOW // 2, groups=3)

    a, b = blur(made), blur(original)
    variance_a, variance_b = blur(made * made) - a * a, blur(original * original) - b * b
    covariance = blur(made * original) - a * b
    luminance = (2 * a * b + C1) / (a * a + b * b + C1)
    return luminance, (2 * covariance + C2) / (variance_a + variance_b + C2)


def _gaussian(like: Tensor) -> Tensor:
    """A blur of each channel, 3 1 7 7."""
    places = torch.arange(WINDOW, device=like.device, dtype=like.dtype) - WINDOW // 2
    line = torch.exp(-(places**2) / (2 * SIGMA**2))
    line = line / line.sum()
    return torch.outer(line, line).expand(3, 1, WINDOW, WINDOW)
