"""What all answers have in common."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pydantic import BaseModel, ConfigDict

PICTURE = ("index", "scale", "seed", "content_type", "width", "height", "bytes")
SHOWN = {
    "Generation": ("id", "status", "stage", "progress", "previews", "outputs", "error"),
    "GenerationOutput": PICTURE,
    "Preview": PICTURE,
}
"""What `print` shows of these; of others, everything that fits."""
VALUE_LENGTH = 60
LINE_LENGTH = 240


def brief(value: object) -> str:
    """A value as it is shown: a record in one line, a long list by its length."""
    if isinstance(value, Record):
        return repr(value)
    if isinstance(value, datetime):
        return value.isoformat()
    text = repr(value)
    if isinstance(value, list) and (len(text) > VALUE_LENGTH or isinstance(value[0], Record)):
        return f"[{len(value)} {type(value[0]).__name__}]"
    return text if len(text) <= VALUE_LENGTH else f"{text[:VALUE_LENGTH]}…"


class Record(BaseModel):
    """An answer of the server. It cannot be changed; fields that this version does not know are kept."""

    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())

    def __repr__(self) -> str:
        """One line; `model_dump()` has everything."""
        return f"{type(self).__name__}({', '.join(self._shown())})"

    __str__ = __repr__

    def _shown(self) -> Iterator[str]:
        names = SHOWN.get(type(self).__name__)
        length = 0
        for name, value in self:
            if value is None or value in ([], {}) or (names and name not in names):
                continue
            text = f"{name}={brief(value)}"
            length += len(text)
            if length > LINE_LENGTH:
                yield "…"
                return
            yield text
