"""Class-conditional pictures rendered from the font Noto Color Emoji (OFL 1.1)."""

import colorsys
import random
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from torch import Tensor

from nextscale_train.data.emoji_classes import GLYPHS, glyphs_of
from nextscale_train.data.pictures import Pictures, Split
from nextscale_train.errors import CommandError

FAMILY = "Noto Color Emoji"
PACKAGE = "fonts-noto-color-emoji"
PLACES = ("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf", "/usr/share/fonts/noto/NotoColorEmoji.ttf")
STRIKE = 109  # the one size the font's bitmaps have
SUPERSAMPLING = 2

Floats = npt.NDArray[np.float32]


@cache
def find_font() -> Path:
    """Path of the font.

    Raises:
        CommandError: it is not installed.
    """
    try:
        asked = subprocess.run(["fc-match", "-f", "%{family}\n%{file}", FAMILY], capture_output=True, text=True, check=False)
        family, _, file = asked.stdout.partition("\n")
    except OSError:
        family, file = "", ""
    for path in (file if FAMILY in family else "", *PLACES):
        if path and Path(path).is_file():
            return Path(path)
    raise CommandError(f"The font {FAMILY} is not installed (Debian: apt-get install {PACKAGE}).")


@cache
def glyph(characters: str) -> Image.Image:
    """A glyph, RGBA, in the middle of the smallest square that holds it."""
    font = ImageFont.truetype(str(find_font()), STRIKE)
    canvas = Image.new("RGBA", (160, 160))
    ImageDraw.Draw(canvas).text((12, 12), characters, font=font, embedded_color=True)
    drawn = canvas.crop(canvas.getbbox())
    side = max(drawn.size)
    square = Image.new("RGBA", (side, side))
    square.paste(drawn, ((side - drawn.width) // 2, (side - drawn.height) // 2))
    return square


@cache
def coordinates(side: int) -> tuple[Floats, Floats]:
    """Y and x of each pixel, side side, from -0.5 to 0.5."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / (side - 1) - 0.5
    return y, x


def draw_colour(chance: random.Random) -> Floats:
    """A light colour that is not grey, RGB from 0 to 255."""
    rgb = colorsys.hsv_to_rgb(chance.random(), chance.uniform(0.15, 0.75), chance.uniform(0.55, 1.0))
    return np.asarray(rgb, dtype=np.float32) * 255


def draw_background(chance: random.Random, side: int) -> Image.Image:
    """A gradient between two colours in any direction."""
    first, second = draw_colour(chance), draw_colour(chance)
    angle = chance.uniform(0, 2 * np.pi)
    y, x = coordinates(side)
    share = np.clip(x * np.cos(angle) + y * np.sin(angle) + 0.5, 0, 1)[..., None]
    pixels = (first * (1 - share) + second * share).astype(np.uint8)
    return Image.fromarray(pixels).convert("RGBA")


def draw_picture(characters: str, chance: random.Random, resolution: int) -> Image.Image:
    """A glyph of random size, tilt and place, with its shadow, before a random background; RGB of that side."""
    side = resolution * SUPERSAMPLING
    picture = draw_background(chance, side)
    size = round(side * chance.uniform(0.62, 0.92))
    subject = glyph(characters).resize((size, size), Image.Resampling.LANCZOS)
    subject = subject.rotate(chance.gauss(0, 7), Image.Resampling.BICUBIC, expand=True)
    if chance.random() < 0.3:
        subject = subject.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    reach = int(side * 0.05)
    left = (side - subject.width) // 2 + chance.randint(-reach, reach)
    top = (side - subject.height) // 2 + chance.randint(-reach, reach)
    shadow = Image.new("RGBA", (side, side))
    shadow.paste((0, 0, 0, 70), (left + side // 40, top + side // 30), subject)
    picture.alpha_composite(shadow.filter(ImageFilter.GaussianBlur(side / 40)))
    layer = Image.new("RGBA", (side, side))
    layer.paste(subject, (left, top), subject)
    picture.alpha_composite(layer)
    return picture.convert("RGB").resize((resolution, resolution), Image.Resampling.LANCZOS)


class EmojiPictures(Pictures):
    """Picture i shows class i modulo the number of classes; what is random in it comes from seed, split, index and view alone."""

    def __init__(self, count: int, resolution: int, *, seed: int, split: Split) -> None:
        find_font()
        self.classes = tuple(GLYPHS)
        self.resolution = resolution
        self._count = count
        self._stream = f"{seed}/{split}"
        self._glyphs = [glyphs_of(name) for name in self.classes]

    def __len__(self) -> int:
        return self._count

    @property
    def identity(self) -> int:
        return self._count

    def view(self, index: int, view: int) -> tuple[Tensor, int]:
        if not 0 <= index < self._count:
            raise IndexError(f"There are {self._count} pictures, not {index + 1}.")
        label = index % len(self.classes)
        chance = random.Random(f"{self._stream}/{index}/{view}")
        picture = draw_picture(chance.choice(self._glyphs[label]), chance, self.resolution)
        return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous(), label
