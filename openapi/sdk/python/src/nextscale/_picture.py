"""What `download` gives."""

from __future__ import annotations

import base64
import html
import os
from pathlib import Path

from typing_extensions import Self

TYPES = {".png": "image/png", ".webp": "image/webp", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
"""Media types by the ends of file names."""


class Picture(bytes):
    """The file of a picture or preview: bytes that know what they are. Notebooks show it; nothing is fetched for that."""

    content_type: str
    """Media type of the file."""
    width: int
    """Width in pixels."""
    height: int
    """Height in pixels."""

    def __new__(cls, content: bytes, content_type: str, width: int, height: int) -> Self:
        picture = super().__new__(cls, content)
        picture.content_type, picture.width, picture.height = content_type, width, height
        return picture

    def __getnewargs__(self) -> tuple[bytes, str, int, int]:  # type: ignore[override]
        return bytes(self), self.content_type, self.width, self.height

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the file, and gives its path. Raises `ValueError` for a name that is that of another format."""
        target = Path(path)
        if TYPES.get(target.suffix.lower(), self.content_type) != self.content_type:
            format = self.content_type.rpartition("/")[2]
            raise ValueError(
                f"{target.name} is no name for {self.content_type}: save it as {target.with_suffix(f'.{format}').name}. "
                'The format of pictures is asked for with output={"format": …}; previews are WebP.'
            )
        target.write_bytes(self)
        return target

    def __repr__(self) -> str:
        return f"<Picture {self.content_type}, {self.width} x {self.height}, {len(self)} bytes>"

    __str__ = __repr__

    def _repr_png_(self) -> bytes | None:
        return bytes(self) if self.content_type == "image/png" else None

    def _repr_jpeg_(self) -> bytes | None:
        return bytes(self) if self.content_type == "image/jpeg" else None

    def _repr_html_(self) -> str | None:
        """Formats that notebooks have no display for, as all browsers show them."""
        if self.content_type in ("image/png", "image/jpeg"):
            return None
        source = f"data:{self.content_type};base64,{base64.b64encode(self).decode()}"
        return f'<img src="{html.escape(source)}" width="{self.width}" height="{self.height}">'
