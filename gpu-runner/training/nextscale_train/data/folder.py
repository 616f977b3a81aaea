"""Anyone's own pictures: a directory with one sub-folder per class."""

import hashlib
import os
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from nextscale_train.data.pictures import Pictures
from nextscale_train.data.reading import PictureError, open_rgb
from nextscale_train.telling import warn

MARGIN = 1.125
"""How much larger than the picture the region is that other views than the first are cut from."""
SUBSTITUTES = 16
"""Pictures that are tried one after the other in place of one that is gone; if none can be read, the disk is."""


def cut(picture: Image.Image, side: int, shorter: int, chance: random.Random | None = None) -> Image.Image:
    """A square of that side from a picture whose shorter side is scaled to `shorter` pixels; its middle, or any place by chance.
    Only the square is made, as the whole of a strip of a few pixels may not fit into memory.
    """
    factor = shorter / min(picture.size)
    width, height = (max(shorter, round(length * factor)) for length in picture.size)
    if chance is None:
        left, top = (width - side) // 2, (height - side) // 2
    else:
        left, top = chance.randint(0, width - side), chance.randint(0, height - side)
    across, down = picture.width / width, picture.height / height
    box = (left * across, top * down, min(picture.width, (left + side) * across), min(picture.height, (top + side) * down))
    return picture.resize((side, side), Image.Resampling.LANCZOS, box, reducing_gap=3)


def to_tensor(picture: Image.Image) -> Tensor:
    """RGB -> 3 H W uint8."""
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()


class FolderPictures(Pictures):
    """View 0 is the middle of a picture; other views are cut from a random place, and mirrored where flips are allowed."""

    def __init__(
        self, files: Sequence[tuple[Path, int]], classes: tuple[str, ...], resolution: int, *, flip: bool, seed: int, skips: bool
    ) -> None:
        """Each file with its label. Where `skips` is set, the next one stands in for one that cannot be read any more."""
        self.classes = classes
        self.resolution = resolution
        self._files = files
        self._flip = flip
        self._seed = seed
        self._skips = skips
        self._missed: set[Path] = set()

    def __len__(self) -> int:
        return len(self._files)

    @property
    def identity(self) -> str:
        digest = hashlib.sha256()
        for path, label in self._files:
            digest.update(os.fsencode(path) + b"\0%d\0" % label)
        return digest.hexdigest()

    def view(self, index: int, view: int) -> tuple[Tensor, int]:
        picture, label = self._open(index)
        side = self.resolution
        if view == 0:
            return to_tensor(cut(picture, side, side)), label
        chance = random.Random(f"{self._seed}/{index}/{view}")
        square = cut(picture, side, round(side * MARGIN), chance)
        if self._flip and chance.random() < 0.5:
            square = square.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return to_tensor(square), label

    def _open(self, index: int) -> tuple[Image.Image, int]:
        """The picture and its label, or those of the next that can be read.

        Raises:
            PictureError: it cannot be read, nor any of its substitutes.
        """
        if not 0 <= index < len(self._files):
            raise IndexError(f"There are {len(self._files)} pictures, not {index + 1}.")
        missing: PictureError | None = None
        for place in range(index, index + (SUBSTITUTES if self._skips else 1)):
            path, label = self._files[place % len(self._files)]
            try:
                picture = open_rgb(path)
            except PictureError as error:
                missing = missing or error
                continue
            self._tell(missing)
            return picture, label
        assert missing is not None
        raise missing

    def _tell(self, missing: PictureError | None) -> None:
        """Says once of each picture that another one stands in for it."""
        if missing is not None and missing.path not in self._missed:
            self._missed.add(missing.path)
            warn(f"{missing} The next picture stands in for it.")
