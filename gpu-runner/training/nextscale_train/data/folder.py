"""Anyone's own pictures: a directory with one sub-folder per class."""

import hashlib
import random
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from nextscale_train.data.pictures import Pictures, Split
from nextscale_train.errors import CommandError

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}
MARGIN = 1.125
"""How much larger than the picture the region is that other views than the first are cut from."""


def is_held_out(name: str, share: float) -> bool:
    """Whether a picture is kept from training. By the hash of its name, so that more pictures change nothing for the others."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return number < share * 2**64


def list_classes(root: Path) -> dict[str, list[Path]]:
    """Pictures of each class, both in order of their names; hidden files and folders are left out.

    Raises:
        CommandError: there is no such directory, no class, or a class without pictures.
    """
    if not root.is_dir():
        raise CommandError(f"data.path: {root} is not a directory.")
    folders = sorted(each for each in root.iterdir() if each.is_dir() and not each.name.startswith("."))
    if not folders:
        raise CommandError(f"data.path: {root} has no sub-folders: put the pictures of each class into one.")
    classes = {folder.name: list_pictures(folder) for folder in folders}
    for name, files in classes.items():
        if not files:
            raise CommandError(f"data.path: {root / name} has no pictures ({', '.join(sorted(SUFFIXES))}).")
    return classes


def list_pictures(folder: Path) -> list[Path]:
    return sorted(
        each for each in folder.rglob("*") if each.is_file() and each.suffix.lower() in SUFFIXES and not each.name.startswith(".")
    )


def open_rgb(path: Path) -> Image.Image:
    """A picture the right way up, RGB; what is transparent becomes white.

    Raises:
        CommandError: the file is not a picture that can be read.
    """
    try:
        with Image.open(path) as file:
            picture = ImageOps.exif_transpose(file)
            if picture.has_transparency_data:
                picture = picture.convert("RGBA")
                picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
            return picture.convert("RGB")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise CommandError(f"{path} cannot be read as a picture ({error}): remove or replace it.") from error


def resize(picture: Image.Image, shorter: int) -> Image.Image:
    """Scales the shorter side to that many pixels."""
    factor = shorter / min(picture.size)
    size = (max(shorter, round(picture.width * factor)), max(shorter, round(picture.height * factor)))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3)


class FolderPictures(Pictures):
    """View 0 is the middle of a picture; other views are cut from a random place, and mirrored where flips are allowed."""

    def __init__(self, root: Path, resolution: int, *, split: Split, held_out: float, flip: bool, seed: int) -> None:
        classes = list_classes(root)
        self.classes = tuple(classes)
        self.resolution = resolution
        self._flip = flip
        self._seed = seed
        self._files = [
            (path, label)
            for label, files in enumerate(classes.values())
            for path in files
            if is_held_out(path.relative_to(root).as_posix(), held_out) == (split == "held_out")
        ]
        if not self._files:
            advice = "raise data.held_out" if split == "held_out" else "lower data.held_out"
            raise CommandError(f"data.path: no picture of {root} is in the part {split}: add pictures, or {advice}.")

    def __len__(self) -> int:
        return len(self._files)

    def view(self, index: int, view: int) -> tuple[Tensor, int]:
        path, label = self._files[index]
        picture = open_rgb(path)
        side = self.resolution
        if view == 0:
            picture = resize(picture, side)
            left, top = (picture.width - side) // 2, (picture.height - side) // 2
            mirrored = False
        else:
            chance = random.Random(f"{self._seed}/{index}/{view}")
            picture = resize(picture, round(side * MARGIN))
            left, top = chance.randint(0, picture.width - side), chance.randint(0, picture.height - side)
            mirrored = self._flip and chance.random() < 0.5
        picture = picture.crop((left, top, left + side, top + side))
        if mirrored:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous(), label
