"""A file that someone has put among pictures, as pixels."""

import warnings
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError, features

from nextscale_train.errors import CommandError
from nextscale_train.telling import printable

SUFFIXES = {".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
FORMATS = ("AVIF", "BMP", "GIF", "HEIF", "JPEG", "PNG", "TIFF", "WEBP")
"""What a file may be, whatever its name says. For others, as EPS, Pillow runs programs."""
HEADER_BYTES = 16
BRANDS = {"AVIF": (b"avif", b"avis"), "HEIF": (b"heic", b"heix", b"heim", b"hevc", b"hevx", b"mif1", b"msf1")}
"""Formats of phones that not every Pillow reads, by the bytes 8 to 12 of a file."""


class DepthError(ValueError):
    """Channels of a kind that is not known to be shown in any one way."""


class PictureError(CommandError):
    """A picture that cannot be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{printable(str(self.path))} cannot be read as a picture ({printable(self.reason)})."

    @property
    def entry(self) -> str:
        """For a list of such pictures."""
        return f"{printable(str(self.path))}: {printable(self.reason)}"


def open_rgb(path: Path) -> Image.Image:
    """A picture the right way up, RGB, decoded to its end; the first one of an animation. What is transparent becomes white.

    Raises:
        PictureError: the file is not a picture that can be read.
    """
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=formats()) as file:
            return to_rgb(upright(file))
    # Damaged files make decoders raise whatever their code happens to stumble over.
    except Exception as error:
        raise PictureError(path, tell_reason(path, error)) from error


@cache
def formats() -> tuple[str, ...]:
    """Those of `FORMATS` that this Pillow reads."""
    Image.init()
    return tuple(each for each in FORMATS if each in Image.OPEN and (each != "AVIF" or features.check("avif")))


def upright(picture: Image.Image) -> Image.Image:
    """Turned as its EXIF data say, where they say anything that can be read."""
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:
        return picture


def to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I;16"):
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if picture.mode in ("I", "F"):
        raise DepthError("its channels have 32 bits: save it with 8 or 16")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("RGB")


def tell_reason(path: Path, error: Exception) -> str:
    """Why a file could not be read, as the end of a sentence."""
    if isinstance(error, Image.DecompressionBombError):
        return f"it has more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels: make it smaller"
    if isinstance(error, UnidentifiedImageError):
        return tell_unknown(path)
    if isinstance(error, MemoryError):
        return "it does not fit into memory: make it smaller"
    if isinstance(error, DepthError):
        return str(error)
    if isinstance(error, OSError) and error.strerror is not None:
        return error.strerror.lower()
    return f"it is damaged: {str(error) or type(error).__name__}"


def tell_unknown(path: Path) -> str:
    try:
        with path.open("rb") as file:
            header = file.read(HEADER_BYTES)
    except OSError as error:
        return str(error.strerror).lower()
    if not header:
        return "it is empty"
    brand = header[8:12] if header[4:8] == b"ftyp" else b""
    name = next((name for name, brands in BRANDS.items() if brand in brands), None)
    if name is not None and name not in formats():
        return f"it is {name}, as phones make it, which is not read here: convert it to JPEG or PNG"
    return "it is no picture, or damaged at its beginning"
