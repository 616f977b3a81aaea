from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from nextscale_train.files import replacing

GAP = 2


def save_grid(images: Tensor, path: Path, columns: int) -> None:
    """Writes images, B 3 H W in [0, 1], as one PNG, row by row on white; folders on the way are made."""
    B, _, H, W = images.shape
    rows = -(-B // columns)
    padded = F.pad(images.detach().float().cpu().clamp(0, 1), (0, GAP, 0, GAP), value=1.0)
    missing = torch.ones(rows * columns - B, *padded.shape[1:])
    cells = torch.cat((padded, missing)).view(rows, columns, 3, H + GAP, W + GAP)
    pixels = cells.permute(0, 3, 1, 4, 2).reshape(rows * (H + GAP), columns * (W + GAP), 3)[:-GAP, :-GAP]
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        Image.fromarray(pixels.mul(255).round().byte().numpy()).save(partial, format="png")
