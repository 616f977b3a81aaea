"""How near pictures are to their originals. Pictures are B 3 H W in [0, 1]; the answer is one number a picture."""

import torch
import torch.nn.functional as F
from torch import Tensor

WINDOW = 11
SIGMA = 1.5
C1, C2 = 0.01**2, 0.03**2


def psnr(made: Tensor, original: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB, B."""
    errors = (made - original).pow(2).mean(dim=(1, 2, 3))
    return -10 * torch.log10(errors.clamp_min(1e-10))


def ssim(made: Tensor, original: Tensor) -> Tensor:
    """Structural similarity, B: Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004.
    Mean over the channels; of pictures smaller than 11 px the window is the largest odd one that fits.
    """
    window = min(WINDOW, *made.shape[-2:])
    window -= 1 - window % 2
    places = torch.arange(window, dtype=made.dtype, device=made.device) - window // 2
    line = torch.exp(-(places**2) / (2 * SIGMA**2))
    line = line / line.sum()
    kernel = torch.outer(line, line).expand(3, 1, window, window)

    def blur(images: Tensor) -> Tensor:
        return F.conv2d(images, kernel, groups=3)

    a, b = blur(made), blur(original)
    variances = blur(made * made) - a * a + blur(original * original) - b * b
    covariance = blur(made * original) - a * b
    similarity = (2 * a * b + C1) * (2 * covariance + C2) / ((a * a + b * b + C1) * (variances + C2))
    return similarity.mean(dim=(1, 2, 3))
