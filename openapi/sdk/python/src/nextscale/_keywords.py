"""Requests are keywords: a type checker knows them. Who gives something else is told what to write."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TypeVar

from typing_extensions import ParamSpec

P = ParamSpec("P")
R = TypeVar("R")


def keywords(*, text: str | None = None, number: str | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Has calls with too many positional arguments say what to write. `text` and `number` are the names they likely lack."""

    def decorate(method: Callable[P, R]) -> Callable[P, R]:
        parameters = inspect.signature(method).parameters.values()
        places = [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]

        @wraps(method)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            if len(args) > len(places):
                words = [*places[1:], _as_keyword(args[len(places)], text, number)]
                name = method.__name__
                raise TypeError(f"{name}() takes what is asked for as keywords: write {name}({', '.join(words)})")
            return method(*args, **kwargs)

        return checked

    return decorate


def _as_keyword(value: object, text: str | None, number: str | None) -> str:
    if isinstance(value, Mapping):
        return "**request"
    if isinstance(value, str) and text:
        return f"{text}={json.dumps(value, ensure_ascii=False)}"
    if isinstance(value, int) and number:
        return f"{number}={value}"
    return f"{text or number}=…"
